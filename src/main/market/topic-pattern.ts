// Patterns of topics, read alike by whoever tails and whoever writes: else one would have what the other lacks.
import { Failure } from '../../contract/failure.ts'

/** For whole names. */
export function topicPattern(pattern: string): RegExp {
  try {
    return new RegExp(`^(?:${pattern})$`)
  } catch (cause) {
    const message = `The pattern of topics (K2_TOPIC_PATTERN, --topic-pattern) is no regular expression: ${(cause as Error).message}`
    throw new Failure('INVALID_INPUT', message, { cause })
  }
}
