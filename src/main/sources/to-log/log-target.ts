// A log as the place that files are loaded into: rows become messages as they are read, and stay once they are sent.
import { setImmediate } from 'node:timers/promises'
import type { ColumnBatch } from '../../../contract/columns.ts'
import type { MessageLog } from '../../log/message-log.ts'
import { ensureTopics } from '../ensure-topics.ts'
import type { Load, LoadTable, LoadTarget } from '../load-target.ts'
import { clearBatch, createMessageBatch, producedOf, type MessageBatch } from '../message-batch.ts'
import { createRowEncoder } from './encode-rows.ts'

export interface LoadLog {
  log: MessageLog
  /** The id of the schema that the table's rows are written with there. */
  schemaIdOf: (topic: string, table: LoadTable) => Promise<number> | number
}

/** Some hundred kilobytes: enough for a request to be worth its cost, and a few milliseconds of encoding. */
const ROWS_AT_ONCE = 4096
/** Sent and not yet acknowledged, all topics together: the log's round trips cost no time, and memory stays small. */
const MOST_IN_FLIGHT = 6

/**
 * A log cannot take back what it has, nor does it know what it was given before: a file is not whole or absent here, and
 * loading it again sends it again. The rows' message ids are the same each time, so that readers drop them as repeats
 * as far as their window goes.
 */
export function createLogTarget({ log, schemaIdOf }: LoadLog): LoadTarget {
  const schemaIds = new Map<string, number>()

  async function prepare(topics: readonly string[], table: LoadTable): Promise<void> {
    const unknown = topics.filter(topic => !schemaIds.has(topic))
    if (unknown.length === 0) return
    await ensureTopics(log, unknown)
    for (const topic of unknown) schemaIds.set(topic, await schemaIdOf(topic, table))
  }
  return { isForgetful: true, begin: async table => beginLoad(log, table, schemaIds, prepare) }
}

function beginLoad(
  log: MessageLog,
  table: LoadTable,
  schemaIds: ReadonlyMap<string, number>,
  prepare: (topics: readonly string[], table: LoadTable) => Promise<void>,
): Load {
  const inFlight = new Set<Promise<void>>()
  const spare: MessageBatch[] = []
  let sent = 0
  let failure: { cause: unknown } | undefined

  function send(topic: string, rows: MessageBatch): void {
    const count = rows.values.count
    const sending = log
      .append(topic, producedOf(rows))
      .then(
        () => void (sent += count),
        (cause: unknown) => void (failure ??= { cause }),
      )
      .finally(() => {
        inFlight.delete(sending)
        clearBatch(rows)
        spare.push(rows)
      })
    inFlight.add(sending)
  }
  const allSent = async () => void (await Promise.all(inFlight))

  return {
    async append(batch: ColumnBatch) {
      const { topics, encode } = createRowEncoder(table, batch)
      await prepare(topics, table)
      for (let from = 0; from < batch.rowCount; from += ROWS_AT_ONCE) {
        for (const topic of topics) {
          while (inFlight.size >= MOST_IN_FLIGHT) await Promise.race(inFlight)
          if (failure) throw failure.cause
          const rows = spare.pop() ?? createMessageBatch()
          encode(topic, schemaIds.get(topic)!, from, Math.min(from + ROWS_AT_ONCE, batch.rowCount), rows)
          if (rows.values.count > 0) send(topic, rows)
          else spare.push(rows)
        }
        await setImmediate()
      }
    },
    async commit() {
      await allSent()
      if (failure) throw failure.cause
      return {
        rows: sent,
        why: 'The log keeps them; loading the file again sends them again, and readers drop what repeats within K2_DEDUPE_MINUTES',
      }
    },
    abort: allSent,
    whatStays: () => (sent > 0 ? `${sent} rows of the file are in the log already and stay there.` : undefined),
  }
}
