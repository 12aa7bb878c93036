// Which topics the tails read: those that are named, or whose whole name matches a pattern.
import { topicPattern } from '../market/topic-pattern.ts'

export interface TopicChoice {
  names?: readonly string[]
  /** A regular expression for the whole name, also of topics that come later. */
  pattern?: string
}

export function createTopicChoice({ names, pattern }: TopicChoice): (topic: string) => boolean {
  const named = new Set(names)
  const whole = pattern === undefined ? undefined : topicPattern(pattern)
  return topic => named.has(topic) || (whole?.test(topic) ?? false)
}
