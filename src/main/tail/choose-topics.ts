// Which topics the tails read: those that are named, or whose whole name matches a pattern, and some in any case.
import { topicPattern } from '../market/topic-pattern.ts'

export interface TopicChoice {
  names?: readonly string[]
  /** A regular expression for the whole name, also of topics that come later. */
  pattern?: string
  /** Read in any case: where the simulated market goes. */
  also?: readonly string[]
}

export function createTopicChoice({ names, pattern, also = [] }: TopicChoice): (topic: string) => boolean {
  const named = new Set([...(names ?? []), ...also])
  const whole = pattern === undefined ? undefined : topicPattern(pattern)
  return topic => named.has(topic) || (whole?.test(topic) ?? false)
}
