// The whole path on a real lake: messages of the log, decoded by the product's own intake, in Parquet files and snapshots.
import { expect, it, vi } from 'vitest'
import { compactTable } from '../../../src/main/lake/maintain/compact-table.ts'
import { createStreamTable } from '../../../src/main/lake/stream/stream-table.ts'
import { verifyTable } from '../../../src/main/lake/verify/verify-table.ts'
import { createSessionDays } from '../../../src/main/ingest/quality/session-days.ts'
import { deadLetterRows, gapRows } from '../../../src/main/ingest/side-rows.ts'
import { createIntake } from '../../../src/main/ingest/take-in.ts'
import type { WriterStep } from '../../../src/main/ingest/writer-options.ts'
import type { Lake } from '../../../src/main/lake/lake.ts'
import type { MessageLog } from '../../../src/main/log/message-log.ts'
import type { TableId } from '../../../src/contract/tables.ts'
import { readRows, tempLake } from '../../support/lake.ts'
import { produced, type SampleRow } from '../../support/market-messages.ts'
import { memoryLog, openWriter, TRADES, type TestWriterOptions } from '../../support/writer.ts'

const START = Date.UTC(2026, 10, 21, 1) * 1000
const SYMBOLS = ['BHP', 'CBA', 'CSL', 'WES', 'ANZ']
const IDS: TableId[] = ['trades', 'quotes', 'reference_data', 'sequence_gaps', 'dead_letters']

function writerOn(lake: Lake, log: MessageLog, options: Partial<TestWriterOptions> = {}) {
  const tables = Object.fromEntries(IDS.map(id => [id, createStreamTable(lake, id)])) as TestWriterOptions['tables']
  return openWriter({
    log,
    tables,
    openIntake: createIntake,
    sideRows: { deadLetters: deadLetterRows, gaps: gapRows },
    dayOf: createSessionDays(),
    ...options,
  })
}

/** Of every symbol a sequence of its own; number `skip` of each is missing, and every tenth message comes twice. */
function rowsOf(from: number, count: number, skip = 7): SampleRow[] {
  return Array.from({ length: count }, (_, i) => from + i).flatMap(n => {
    const sequence = 1 + Math.floor(n / SYMBOLS.length)
    if (sequence === skip) return []
    const row = { symbol: SYMBOLS[n % SYMBOLS.length], id: n, micros: START + n * 1000, sequence }
    return n % 10 === 0 ? [row, row] : [row]
  })
}

const bad = { count: 1, keys: ['x'], values: Buffer.from('no message of ours'), ends: Uint32Array.of(18) }

const allIn = (writer: ReturnType<typeof writerOn>) =>
  vi.waitFor(
    () => {
      const { state, topics } = writer.status()
      expect(state).toBe('writing')
      expect(topics.length).toBeGreaterThan(0)
      expect(topics.every(({ lag }) => lag === 0)).toBe(true)
    },
    { timeout: 10_000, interval: 10 },
  )

it('has every message once, whatever crashes on the way, and the gaps and dead letters once too', async () => {
  const lake = await tempLake()
  const log = await memoryLog([TRADES], 3)
  const steps: WriterStep[] = ['taken', 'staged', 'dead_letters', 'sequence_gaps', 'committing', 'committed', 'noted']
  for (const [i, step] of steps.entries()) {
    // The last ones come once more: what is in the table by now is known from before.
    await log.append(TRADES, produced('trades', rowsOf(Math.max(0, i * 100 - 20), i === 0 ? 100 : 120)))
    await log.append(TRADES, { ...bad, timestamps: Float64Array.of(START) })
    const writer = writerOn(lake, log, {
      settings: { batchSize: 50 },
      onStep(met) {
        if (met === step) throw new Error(`crash at ${step}`)
      },
    })
    await vi.waitFor(() => expect(writer.status()).toMatchObject({ state: 'stopped', why: `crash at ${step}` }), {
      timeout: 15_000,
    })
    await writer.stop()
  }
  const writer = writerOn(lake, log)
  await allIn(writer)
  expect(await writer.stop()).toMatchObject({ unfinished: [], progress: { state: 'stopped', lag: 0 } })

  const trades = await readRows(lake)
  const expected = new Set(steps.flatMap((_, i) => rowsOf(i * 100, 100).map(({ id }) => String(id))))
  expect(trades.map(({ trade_id: id }) => id).sort()).toEqual([...expected].sort())
  const letters = await readRows(lake, { table: 'dead_letters', orderBy: [{ column: 'offset', direction: 'asc' }] })
  expect(letters.map(({ reason }) => reason)).toEqual(steps.map(() => 'undecodable'))
  const gaps = await readRows(lake, { table: 'sequence_gaps', orderBy: [{ column: 'symbol', direction: 'asc' }] })
  expect(gaps.map(({ symbol, gap_size: missing }) => [symbol, missing])).toEqual(
    SYMBOLS.sort().map(name => [name, '1']),
  )
  for (const id of IDS) expect((await verifyTable(lake, lake.table(id), { quick: false })).problems).toEqual([])
})

it('writes beside compaction, and neither keeps the other from its work', async () => {
  const lake = await tempLake()
  const log = await memoryLog([TRADES], 3)
  const writer = writerOn(lake, log, { settings: { batchSize: 20, batchSeconds: 0.01 } })
  let compacted = 0
  for (let i = 0; i < 12; i++) {
    await log.append(TRADES, produced('trades', rowsOf(i * 50, 50)))
    await vi.waitFor(() => expect(writer.status().rows).toBeGreaterThanOrEqual(i * 48), {
      timeout: 10_000,
      interval: 5,
    })
    if (i % 4 === 3) compacted += (await compactTable(lake, lake.table('trades'), { minFiles: 2 })).commits
  }
  await allIn(writer)
  expect(compacted).toBeGreaterThan(0)
  const trades = await readRows(lake)
  expect(new Set(trades.map(({ trade_id: id }) => id)).size).toBe(trades.length)
  expect(trades).toHaveLength(new Set(rowsOf(0, 600).map(({ id }) => id)).size)
  expect(writer.status()).toMatchObject({ state: 'writing', why: null })
})
