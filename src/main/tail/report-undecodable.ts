// Says which messages could not be read, in the words of the log; a flood of them must not become a flood of lines.
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Undecodable } from './append.ts'

const LINES_PER_SECOND = 10

/** Every message is counted by the tail; of many in one second, the first are named and the others are a number in the next line. */
export function createUndecodableReport(
  logger: Pick<Log, 'warn'>,
  clock: Pick<Clock, 'nowMs'>,
): (message: Undecodable) => void {
  let second = 0
  let lines = 0
  let unnamed = 0
  return ({ topic, partition, offset, reason }) => {
    const now = Math.floor(clock.nowMs() / 1000)
    if (now !== second) {
      second = now
      lines = 0
    }
    if (++lines > LINES_PER_SECOND) {
      unnamed++
      return
    }
    const others = unnamed > 0 ? { unnamed_before: unnamed } : {}
    logger.warn(`A message cannot be read: ${reason}`, { topic, partition, offset, ...others })
    unnamed = 0
  }
}
