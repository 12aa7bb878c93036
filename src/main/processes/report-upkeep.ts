// What keeping tables in order did, for the log.
import type { Log } from '../base/log.ts'
import type { Config } from '../config/settings.ts'
import type { UpkeepOptions } from '../lake/maintain/upkeep.ts'

export function reportUpkeep(log: Log, { lake: { snapshotRetention: retention } }: Config): UpkeepOptions {
  return {
    retention,
    onDone({ table, compacted, expired }) {
      if (compacted.commits + expired.snapshots_removed > 0)
        log.info('table kept in order', { table, ...compacted, ...expired })
    },
    onFailed: ({ table, error }) => log.error('table could not be kept in order', { table, error }),
  }
}
