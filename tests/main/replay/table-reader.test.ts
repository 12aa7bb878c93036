// An ordered read in stretches: whatever their size, the seeks and the turns, it gives the rows of one ordered read.
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { rowsOf, type Row } from '../../../src/contract/columns.ts'
import { TABLES } from '../../../src/contract/tables.ts'
import { takeRowsOf } from '../../../src/main/replay/merge.ts'
import { atTime } from '../../../src/main/replay/place.ts'
import type { ReadTools, RowSource } from '../../../src/main/replay/row-source.ts'
import { openReader, type Direction, type TableReader } from '../../../src/main/replay/table-reader.ts'
import { append, readRows, START_MICROS, tempLake } from '../../support/lake.ts'
import { queryParts } from '../../support/query.ts'
import { replayBatch, type ReplayRow } from '../../support/replay-rows.ts'

const ALL = TABLES.trades.columns.map(({ name }) => name)
const EVER = { fromMicros: -9e15, toMicros: 9e15 }
const ORDER = ['exchange_timestamp', 'source_sequence', '_partition', '_offset', 'message_id', 'price'].map(column => ({
  column,
  direction: 'asc' as const,
}))

/** Times few enough that many rows share one, with a gap of a month and a crowd in one microsecond. */
function tiedRows(seed: number, count: number): ReplayRow[] {
  let state = seed
  const random = (n: number) => (state = (state * 48_271) % 2_147_483_647) % n
  return Array.from({ length: count }, (_, i) => {
    const far = random(2) * 30 * 86_400e6
    const micros = START_MICROS + far + (random(3) === 0 ? 77 : random(40) * 1_000)
    const fromLog = random(3) > 0
    return {
      id: `m${random(4) === 0 ? random(6) : i + seed}`,
      micros,
      symbol: ['BHP', 'RIO', 'ÄÖ\'"'][random(3)],
      sequence: random(3) === 0 ? null : random(3),
      partition: fromLog ? random(3) : null,
      offset: fromLog ? random(50) : null,
      price: 1 + random(1000) / 100,
    }
  })
}

const timeOf = (row: Row) => Date.parse(row.exchange_timestamp as string) * 1000

interface Opened {
  tools: ReadTools
  source: RowSource
  expected: Row[]
}

async function tiedLake(): Promise<Opened> {
  const lake = await tempLake()
  for (const seed of [11, 5, 97]) await append(lake, replayBatch('trades', tiedRows(seed, 60)))
  await append(lake, replayBatch('trades', tiedRows(1234, 30)), { specId: 0 })
  const tools = await queryParts(lake)
  const at = await tools.reads.at('trades')
  return {
    tools,
    source: { table: 'trades', at, order: 'event', instruments: {}, columns: ALL },
    expected: await readRows(lake, { orderBy: ORDER }),
  }
}

async function take(reader: TableReader, limit: number, direction: Direction = 1): Promise<Row[]> {
  const taken = await takeRowsOf([reader], { direction, limit })
  return taken ? rowsOf(taken.parts[0]!.rows) : []
}

async function takeAll(reader: TableReader, limit: number, direction: Direction = 1): Promise<Row[]> {
  const rows: Row[] = []
  for (;;) {
    const more = await take(reader, limit, direction)
    if (more.length === 0) return rows
    rows.push(...more)
  }
}

describe('an ordered read', () => {
  it(
    'gives the same rows whatever the sizes of its stretches and batches, on and back',
    { timeout: 60_000 },
    async () => {
      const { tools, source, expected } = await tiedLake()
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: 100 }),
          fc.integer({ min: 25, max: 250 }),
          fc.integer({ min: 1, max: 90 }),
          async (firstRows, mostRows, batch) => {
            const reader = await openReader(tools, { source, range: EVER, firstRows, mostRows })
            expect(await takeAll(reader, batch)).toEqual(expected)
            expect(await takeAll(reader, batch, -1)).toEqual(expected.toReversed())
            reader.close()
          },
        ),
        { numRuns: 3, examples: [[1, 15, 3]] },
      )
    },
  )

  it(
    'leaves out no row when a stretch that was read ahead failed, and is asked for again',
    { timeout: 60_000 },
    async () => {
      const { tools, source, expected } = await tiedLake()
      for (const failing of [1, 2, 3, 4, 5]) {
        let opened = 0
        const open: ReadTools['reads']['open'] = (...asked) => {
          if (++opened === failing) throw new Error('the disk is tired')
          return tools.reads.open(...asked)
        }
        const reader = await openReader(
          { ...tools, reads: { ...tools.reads, open } },
          { source, range: EVER, firstRows: 20, mostRows: 30 },
        )
        const rows: Row[] = []
        let failures = 0
        for (let isOver = false; !isOver;) {
          const more = await take(reader, 7).catch(() => undefined)
          if (more) rows.push(...more)
          else failures++
          isOver = more?.length === 0
        }
        expect([failures, rows.length]).toEqual([1, expected.length])
        expect(rows).toEqual(expected)
        reader.close()
      }
    },
  )

  it('goes on from any place exactly behind what was read before it', { timeout: 60_000 }, async () => {
    const { tools, source, expected } = await tiedLake()
    const step = fc.record({
      rows: fc.integer({ min: 1, max: 60 }),
      direction: fc.constantFrom<Direction>(1, -1),
      mostRows: fc.integer({ min: 10, max: 50 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async steps => {
        let place = atTime(START_MICROS - 5)
        let at = 0
        for (const { rows, direction, mostRows } of steps) {
          const reader = await openReader(tools, {
            source,
            range: EVER,
            firstRows: mostRows,
            mostRows,
            readsAhead: false,
          })
          reader.seek(place)
          const read: Row[] = []
          for (let more = [{}] as Row[]; read.length < rows && more.length > 0; read.push(...more))
            more = await take(reader, rows - read.length, direction)
          const next = Math.min(expected.length, Math.max(0, at + read.length * direction))
          expect(read).toEqual(direction === 1 ? expected.slice(at, next) : expected.slice(next, at).toReversed())
          expect(read.length).toBe(Math.min(rows, direction === 1 ? expected.length - at : at))
          place = reader.place()
          at = next
        }
      }),
      { numRuns: 5 },
    )
  })

  it('seeks to the first row of a moment or after it', async () => {
    const { tools, source, expected } = await tiedLake()
    const reader = await openReader(tools, { source, range: EVER })

    for (const micros of [START_MICROS - 1, START_MICROS + 20_000, START_MICROS + 86_400e6, START_MICROS + 9e12]) {
      reader.seek(atTime(micros))
      expect(await take(reader, 5)).toEqual(expected.filter(row => timeOf(row) >= micros).slice(0, 5))
      reader.seek(atTime(micros))
      expect(await take(reader, 5, -1)).toEqual(
        expected
          .filter(row => timeOf(row) < micros)
          .toReversed()
          .slice(0, 5),
      )
    }
    reader.close()
  })

  it('stands at the moment sought until a row is passed, not at the row after it', async () => {
    const { tools, source, expected } = await tiedLake()
    const open = vi.spyOn(tools.reads, 'open')
    const reader = await openReader(tools, { source, range: EVER, firstRows: 500, readsAhead: false })
    await take(reader, 1)
    const reads = open.mock.calls.length
    const between = atTime(START_MICROS + 15 * 86_400e6)
    reader.seek(between)
    expect(reader.place()).toEqual(between)
    expect(await take(reader, 1)).toEqual(expected.filter(row => timeOf(row) >= between.micros).slice(0, 1))
    expect(reader.place().micros).toBeGreaterThanOrEqual(START_MICROS + 30 * 86_400e6)
    expect(open.mock.calls.length).toBe(reads)
  })

  it('seeks among the rows at hand without reading them again', async () => {
    const { tools, source, expected } = await tiedLake()
    const open = vi.spyOn(tools.reads, 'open')
    const reader = await openReader(tools, { source, range: EVER, firstRows: 80, readsAhead: false })
    await take(reader, 7)
    const seventh = reader.place()
    await take(reader, 20)
    const moment = timeOf(expected[20])
    const reads = open.mock.calls.length

    reader.seek(seventh)
    expect(await take(reader, 9)).toEqual(expected.slice(7, 16))
    reader.seek(atTime(moment))
    expect(await take(reader, 3)).toEqual(expected.filter(row => timeOf(row) >= moment).slice(0, 3))
    reader.seek(seventh)
    expect(await take(reader, 5, -1)).toEqual(expected.slice(2, 7).toReversed())
    expect(open.mock.calls.length).toBe(reads)

    reader.seek(atTime(START_MICROS + 30 * 86_400e6))
    const later = expected.filter(row => timeOf(row) >= START_MICROS + 30 * 86_400e6)
    expect(await take(reader, 4)).toEqual(later.slice(0, 4))
    expect(open.mock.calls.length).toBeGreaterThan(reads)
  })

  it('reads ahead only for one who goes on', async () => {
    const { tools, source } = await tiedLake()
    const open = vi.spyOn(tools.reads, 'open')
    const reader = await openReader(tools, { source, range: EVER, firstRows: 40 })
    await take(reader, 1)
    const reads = open.mock.calls.length
    await take(reader, 1)
    expect(open.mock.calls.length).toBe(reads)
    await take(reader, 20)
    await take(reader, 1)
    await vi.waitFor(() => expect(open.mock.calls.length).toBeGreaterThan(reads))
    reader.close()
  })

  it.each([true, false])(
    'ends where the files have rows but none of what is asked for (ahead: %s)',
    async readsAhead => {
      const { tools, source } = await tiedLake()
      const nobody = { ...source, instruments: { symbols: ['NOBODY'] } }
      const reader = await openReader(tools, { source: nobody, range: EVER, firstRows: 5, readsAhead })
      expect(await take(reader, 5)).toEqual([])
      reader.seek(atTime(START_MICROS + 60 * 86_400e6))
      expect(await take(reader, 5, -1)).toEqual([])
    },
  )

  it('jumps over months without rows instead of reading through them', async () => {
    const { tools, source } = await tiedLake()
    const open = vi.spyOn(tools.reads, 'open')
    const reader = await openReader(tools, { source, range: EVER, firstRows: 50, readsAhead: false })
    await takeAll(reader, 1000)
    expect(open.mock.calls.length).toBeLessThan(60)
  })

  it('reads only the instruments and the times that are asked for', async () => {
    const { tools, source, expected } = await tiedLake()
    const range = { fromMicros: START_MICROS + 3_000, toMicros: START_MICROS + 30_000 }
    const instruments = { symbols: ['ÄÖ\'"'], exchange: 'asx' }
    const reader = await openReader(tools, { source: { ...source, instruments }, range })

    const wanted = expected.filter(
      row => row.symbol === 'ÄÖ\'"' && timeOf(row) >= range.fromMicros && timeOf(row) < range.toMicros,
    )
    expect(wanted.length).toBeGreaterThan(5)
    expect(await takeAll(reader, 7)).toEqual(wanted)
    reader.close()
  })

  it('has nothing to give from an empty table, on or back', async () => {
    const lake = await tempLake()
    const tools = await queryParts(lake)
    const at = await tools.reads.at('trades')
    const source: RowSource = { table: 'trades', at, order: 'event', instruments: {}, columns: ALL }
    const reader = await openReader(tools, { source, range: EVER })
    expect(await take(reader, 5)).toEqual([])
    expect(await take(reader, 5, -1)).toEqual([])
  })
})
