// Which topics the log has, and whether it answers at all: its breaker counts what becomes of each of these looks, as reading
// tells only once of a log that is away.
import { Failure } from '../../contract/failure.ts'
import type { Breaker } from '../base/breaker.ts'
import type { MessageLog, TopicInfo } from '../log/message-log.ts'

/** So long without an answer is one failure, and as long again another one, however patient the log is with its server. */
const ANSWER_MS = 5_000

/** The breaker keeps none of them back: reading tries again by itself too, and it is only to show how the log is. */
export function askTopics(log: Pick<MessageLog, 'topics'>, breaker: Breaker): () => Promise<TopicInfo[]> {
  let isAway = false

  async function count(failure?: unknown): Promise<void> {
    // That the log answers mends nothing but a log that did not: a partition may have no leader all the same.
    if (failure === undefined && !isAway && breaker.state() === 'closed') return
    isAway = failure !== undefined
    await breaker.run(() => (isAway ? Promise.reject(failure as Error) : Promise.resolve())).catch(() => {})
  }

  function countLate(): void {
    void count(new Failure('TIMEOUT', `The log has not said within ${ANSWER_MS / 1000} s which topics it has.`))
  }

  return async () => {
    const late = setInterval(countLate, ANSWER_MS)
    late.unref()
    try {
      const there = await log.topics()
      await count()
      return there
    } catch (error) {
      await count(error)
      throw error
    } finally {
      clearInterval(late)
    }
  }
}
