// What a stream's flush costs: rows of a writer, their ids packed, into files and into the table.
import type { ColumnBatch } from '../src/contract/columns.ts'
import type { Lake } from '../src/main/lake/lake.ts'
import { createStreamTable } from '../src/main/lake/stream/stream-table.ts'
import type { StreamTable } from '../src/main/market/stream-table.ts'
import { offsetsAfter } from './support/described-files.ts'
import { inTempFolder, localLakeOptions, withLake } from './support/bench-lake.ts'
import { withPackedIds } from './support/packed-ids.ts'
import { createTape, TAPE_TOPIC, type Tape } from './support/tape.ts'
import { elapsedMsOf, short, spread, timesOf } from './support/timing.ts'
import type { Figure } from './figure.ts'

const BACKLOG_ROWS = 200_000
/** As an intake hands them over. */
const PARTS = 4
const BACKLOG_ROUNDS = 10
const FLUSH_ROWS = 1_000
const FLUSHES = 120
const WARM_UP = 3

export function run(): Promise<Figure[]> {
  return inTempFolder(folder =>
    withLake(localLakeOptions(folder), async lake => {
      const stream = createStreamTable(lake, 'trades')
      await stream.offsets()
      return [await measureBacklog(stream), await measureFlushes(stream), await measureLastSequences(lake, stream)]
    }),
  )
}

async function measureBacklog(stream: StreamTable): Promise<Figure> {
  const tape = createTape({ rows: BACKLOG_ROWS * (BACKLOG_ROUNDS + WARM_UP) })
  const microsOfRow: number[] = []
  const elapsedMs: number[] = []
  for (let round = 0; round < BACKLOG_ROUNDS + WARM_UP; round++) {
    const batches = Array.from({ length: PARTS }, () => packedRows(tape, BACKLOG_ROWS / PARTS))
    const before = process.cpuUsage()
    const ms = await elapsedMsOf(async () => (await stream.stage(batches)).discard())
    const { user, system } = process.cpuUsage(before)
    if (round < WARM_UP) continue
    elapsedMs.push(ms)
    microsOfRow.push((user + system) / BACKLOG_ROWS)
  }
  const { min, p50 } = timesOf(microsOfRow)
  return {
    name: `staging ${BACKLOG_ROWS.toLocaleString('en')} trades with packed ids: processor time a row, p50`,
    value: p50,
    unit: 'µs',
    target: '≤ 2 µs',
    detail: `least ${short(min)}; ms a flush: ${spread(timesOf(elapsedMs))}`,
  }
}

/** One each second or so while the market trades. */
async function measureFlushes(stream: StreamTable): Promise<Figure> {
  const tape = createTape({ rows: FLUSH_ROWS * FLUSHES })
  const staging: number[] = []
  const committing: number[] = []
  let from = await stream.offsets()
  const before = process.cpuUsage()
  for (let flush = 1; flush <= FLUSHES; flush++) {
    const batch = packedRows(tape, FLUSH_ROWS)
    const to = offsetsAfter(flush)
    let staged: Awaited<ReturnType<StreamTable['stage']>>[] = []
    staging.push(await elapsedMsOf(async () => (staged = [await stream.stage([batch])])))
    committing.push(await elapsedMsOf(() => stream.commit({ staged, offsets: { from, to } })))
    from = to
  }
  const { user, system } = process.cpuUsage(before)
  const whole = staging.map((ms, i) => ms + committing[i]).slice(WARM_UP)
  return {
    name: `a flush of ${FLUSH_ROWS.toLocaleString('en')} trades, staged and committed, local, p50`,
    value: timesOf(whole).p50,
    unit: 'ms',
    target: '≤ 30 ms',
    detail: `${spread(timesOf(whole))}; staging ${spread(timesOf(staging.slice(WARM_UP)))}; committing ${spread(timesOf(committing.slice(WARM_UP)))}; ${short((user + system) / 1000 / FLUSHES)} of processor time`,
  }
}

async function measureLastSequences(lake: Lake, stream: StreamTable): Promise<Figure> {
  const dayOf = (_: string, micros: number) => Math.floor(micros / 86_400_000_000)
  const elapsedMs: number[] = []
  for (let round = 0; round < 5; round++) {
    let found = 0
    elapsedMs.push(await elapsedMsOf(async () => (found = (await stream.lastSequences(TAPE_TOPIC, dayOf)).length)))
    if (found === 0) throw new Error(`There are no sequences of ${TAPE_TOPIC}`)
  }
  const { metadata } = await lake.table('trades').known()
  const { p50, ...times } = timesOf(elapsedMs)
  return {
    name: `the last sequences of a topic, of ${metadata.snapshots.length} files, p50`,
    value: p50,
    unit: 'ms',
    detail: spread({ p50, ...times }),
  }
}

function packedRows(tape: Tape, count: number): ColumnBatch {
  return withPackedIds(tape.next(count), ['message_id', 'trade_id'])
}
