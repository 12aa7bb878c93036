// A writer over a log in memory and tables in memory, for tests: everything real but what is slow.
import { onTestFinished } from 'vitest'
import type { TableId } from '../../src/contract/tables.ts'
import { createBreaker, type BreakerName } from '../../src/main/base/breaker.ts'
import { systemClock } from '../../src/main/base/clock.ts'
import type { WriterOptions, WriterSettings } from '../../src/main/ingest/writer-options.ts'
import { startWriter, type Writer } from '../../src/main/ingest/writer.ts'
import { createEmbeddedLog } from '../../src/main/log/embedded.ts'
import type { MessageLog } from '../../src/main/log/message-log.ts'
import { memoryStreamTable, type MemoryStreamTable } from './memory-stream-table.ts'
import { plainIntake, plainSideRows } from './plain-intake.ts'

export const TRADES = 'market.equities.trades.asx'
export const CRYPTO = 'market.crypto.trades.binance'
export const QUOTES = 'market.equities.quotes.asx'

export const SETTINGS: WriterSettings = {
  topics: [TRADES],
  batchSize: 10,
  batchSeconds: 0.02,
  commitEveryMs: 0,
  dedupeMinutes: 60,
  dedupeRows: 1_000,
  onGap: 'continue',
  onDeadLetter: 'skip',
  group: 'k2-{data_type}',
  whenFenced: 'follow',
  lookEveryMs: 10,
  retryFirstMs: 1,
  retryMostMs: 5,
}

export async function memoryLog(
  topics: readonly string[] = [TRADES],
  partitions = 2,
  maxBytes = 16e6,
): Promise<MessageLog> {
  const log = createEmbeddedLog({ maxBytes, cluster: 'c' })
  onTestFinished(() => log.close())
  await log.createTopics(topics.map(name => ({ name, partitions })))
  return log
}

export type MemoryTables = Record<TableId, MemoryStreamTable>

export function memoryTables(fault?: Parameters<typeof memoryStreamTable>[1]): MemoryTables {
  const ids: TableId[] = ['trades', 'quotes', 'reference_data', 'sequence_gaps', 'dead_letters']
  return Object.fromEntries(ids.map(id => [id, memoryStreamTable(id, fault)])) as MemoryTables
}

export function quickBreakers(halfOpenAfterMs = 30): WriterOptions['breakers'] {
  const names: BreakerName[] = ['kafka', 'registry', 'catalog', 's3']
  const entries = names.map(name => [name, createBreaker({ name, halfOpenAfterMs })] as const)
  return Object.fromEntries(entries) as Record<BreakerName, (typeof entries)[number][1]>
}

export interface TestWriterOptions extends Partial<Omit<WriterOptions, 'settings' | 'tables' | 'log'>> {
  log: MessageLog
  tables: Record<TableId, ReturnType<WriterOptions['tables']>>
  settings?: Partial<WriterSettings>
}

/** Stopped when the test is over, if it did not stop before. */
export function openWriter({ log, tables, settings, ...options }: TestWriterOptions): Writer {
  const writer = startWriter({
    log,
    tables: id => tables[id],
    standardize: batch => batch,
    openIntake: plainIntake,
    sideRows: plainSideRows,
    dayOf: (_, micros) => Math.floor(micros / 86_400e6),
    breakers: quickBreakers(),
    clock: systemClock,
    logger: { info: () => {}, warn: () => {}, error: () => {} },
    ...options,
    settings: { ...SETTINGS, ...settings },
  })
  onTestFinished(() => void writer.stop().then(() => writer.stop()))
  return writer
}
