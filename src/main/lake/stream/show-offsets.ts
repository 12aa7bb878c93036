// How far the log is in the tables that its messages go to, beside what the log holds now.
import { Failure } from '../../../contract/failure.ts'
import type { Lake } from '../lake.ts'
import { offsetsAt } from '../offsets.ts'
import { isAway, topicNow, type LogView, type TopicNow } from './log-view.ts'
import { metadataIfThere, ROW_TABLES } from './set-offsets.ts'

export interface OffsetRow {
  table: string
  topic: string
  partition: number
  next_offset: string
  earliest: string | null
  latest: string | null
  lag: number | null
  cluster: string
  epoch: string
}

export async function showOffsets(
  lake: Lake,
  openLog: () => Promise<LogView>,
  wanted: string | undefined,
): Promise<OffsetRow[]> {
  const rows: OffsetRow[] = []
  const nowOf = askOnce(openLog)
  for (const table of ROW_TABLES) {
    const metadata = await metadataIfThere(lake.table(table))
    if (!metadata) continue
    for (const { topic, cluster, epoch, next } of offsetsAt(metadata)) {
      if (wanted !== undefined && topic !== wanted) continue
      const now = await nowOf(topic)
      // Of another life nothing can be compared.
      const ranges = now?.cluster === cluster && now.epoch === epoch ? now.ranges : []
      for (const [name, offset] of Object.entries(next)) {
        const partition = Number(name)
        const range = ranges.find(one => one.partition === partition)
        const held = range
          ? { earliest: String(range.earliest), latest: String(range.latest), lag: range.latest - offset }
          : { earliest: null, latest: null, lag: null }
        rows.push({ table, topic, partition, next_offset: String(offset), ...held, cluster, epoch })
      }
    }
  }
  if (wanted !== undefined && rows.length === 0)
    throw new Failure('NOT_FOUND', `No table has anything of topic ${wanted} yet.`)
  return rows
}

/** Nothing of a log that is away; it is not asked again for each topic then. */
function askOnce(openLog: () => Promise<LogView>): (topic: string) => Promise<TopicNow | undefined> {
  let log: Promise<LogView> | undefined
  let isGone = false
  return async topic => {
    if (isGone) return undefined
    try {
      return await topicNow(await (log ??= openLog()), topic)
    } catch (error) {
      if (!isAway(error)) throw error
      isGone = true
      return undefined
    }
  }
}
