// Tells the log how far the tables are, for those who watch the lag there. Nobody starts from it, so nobody waits for it.
import { sleepUnlessAborted } from '../base/retry.ts'
import type { OffsetVector } from '../market/topic-offsets.ts'
import type { TableContext } from './table-context.ts'

export interface Notes {
  note: (committed: OffsetVector) => void
  /** When the last one was told, or could not be; a log that takes its time is not waited for. */
  settled: () => Promise<void>
}

/** Whoever ends has better things to do than to wait for a view of lags. */
const SETTLE_WITHIN_MS = 500

/** One at a time; of those that come meanwhile only the newest. */
export function createNotes({ options, table }: Pick<TableContext, 'options' | 'table'>): Notes {
  const { log, logger, settings } = options
  const group = settings.group.replaceAll('{data_type}', table)
  let waiting: OffsetVector | undefined
  let running: Promise<void> | undefined
  let hasFailed = false

  async function tell(): Promise<void> {
    for (let vector = waiting; vector; vector = waiting) {
      waiting = undefined
      try {
        for (const { topic, next } of vector) await log.noteProgress(group, topic, next)
        hasFailed = false
      } catch (error) {
        if (!hasFailed)
          logger.warn('The progress of the consumer group could not be noted; only lag views miss it', { group, error })
        hasFailed = true
      }
    }
    running = undefined
  }

  return {
    note(committed) {
      waiting = committed
      running ??= tell()
    },
    async settled() {
      const late = new AbortController()
      const limit = sleepUnlessAborted(SETTLE_WITHIN_MS, late.signal).catch(() => {})
      await Promise.race([running, limit])
      late.abort()
    },
  }
}
