// A million rows from columns to committed files, beside PyIceberg's append of the same rows; and what they take there.
// The columns are as our engines make them, of messages and of files alike: ids as bytes end to end, other texts as codes.
import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { ColumnBatch } from '../src/contract/columns.ts'
import { quoteText } from '../src/main/duck/quote.ts'
import { runSql } from '../src/main/duck/run-sql.ts'
import type { Lake } from '../src/main/lake/lake.ts'
import { compactTable } from '../src/main/lake/maintain/compact-table.ts'
import { startJudge } from '../tests/support/pyiceberg.ts'
import {
  appendTrades,
  bytesOf,
  catalogFor,
  dataFiles,
  inTempFolder,
  localLakeOptions,
  withLake,
} from './support/bench-lake.ts'
import { withPackedIds } from './support/packed-ids.ts'
import { createTape, type Tape } from './support/tape.ts'
import { alternate, elapsedMsOf, short, spread, type Times } from './support/timing.ts'
import type { Figure } from './figure.ts'

const ROWS = 1_000_000
/** As sources hand them over. */
const BATCH_ROWS = 20_000
const ROUNDS = 5

export function run(): Promise<Figure[]> {
  return inTempFolder(folder => withLake(localLakeOptions(folder), lake => measure(lake, folder)))
}

interface Appended {
  ms: number
  processor_ms: number
  bytes: number
}

async function measure(lake: Lake, folder: string): Promise<Figure[]> {
  const tape = createTape({ rows: ROWS })
  const batches = Array.from({ length: ROWS / BATCH_ROWS }, () => packedRows(tape))
  await appendTrades(lake, batches, 1)
  const written = await dataFiles(lake)
  const files = written.map(({ path }) => path)
  const catalog = catalogFor(folder)
  const table = 'market_data.by_pyiceberg'
  const peer = await startJudge(join(import.meta.dirname, 'peers/peer.py'))
  try {
    await peer.ask('create_like', { catalog, table: 'market_data.trades', new: table })
    const processorMs = { ours: Infinity, oneFile: Infinity, theirs: Infinity }
    const least = (who: keyof typeof processorMs, ms: number) => (processorMs[who] = Math.min(processorMs[who], ms))
    const append = (who: 'ours' | 'oneFile', specId: number) => async () => {
      const before = process.cpuUsage()
      const ms = await elapsedMsOf(() => appendTrades(lake, batches, specId))
      const { user, system } = process.cpuUsage(before)
      least(who, (user + system) / 1000)
      return ms
    }
    let theirBytes = 0
    const { ours, oneFile, theirs } = await alternate(ROUNDS, {
      ours: append('ours', 1),
      oneFile: append('oneFile', 0),
      theirs: async round => {
        const { ms, processor_ms, bytes } = await peer.ask<Appended>('append', { catalog, table, files })
        least('theirs', processor_ms)
        theirBytes = bytes / (round + 1)
        return ms
      },
    })
    const figure = (name: string, times: Times, who: keyof typeof processorMs, target?: string): Figure => {
      const detail = `ms: ${spread(times)}; ${short((processorMs[who] / ROWS) * 1000)} µs of processor time a row`
      return { name, value: (ROWS / times.p50) * 1000, unit: 'rows/s', target, detail }
    }
    return [
      figure('append of 1 M trades to 16 partitions, p50', ours, 'ours', '≥ 600,000'),
      figure('append of 1 M trades to one partition, p50', oneFile, 'oneFile', '≥ 600,000'),
      figure('PyIceberg: the same to 16 partitions, p50', theirs, 'theirs'),
      { name: 'to 16 partitions, times as fast as PyIceberg', value: theirs.p50 / ours.p50, unit: '' },
      ...(await measureSizes(folder, files, { ours: bytesOf(written), theirs: theirBytes })),
    ]
  } finally {
    await peer.close()
  }
}

function packedRows(tape: Tape): ColumnBatch {
  return withPackedIds(tape.next(BATCH_ROWS), ['message_id', 'trade_id'])
}

/** Of the same rows: ours as appended and as compacted, PyIceberg's, and as CSV with all columns. */
async function measureSizes(
  folder: string,
  files: readonly string[],
  { ours, theirs }: { ours: number; theirs: number },
): Promise<Figure[]> {
  const again = join(folder, 'again')
  return withLake(localLakeOptions(again), async lake => {
    const tape = createTape({ rows: ROWS })
    for (let n = 0; n < 4; n++) await appendTrades(lake, [tape.next(ROWS / 4)], 0)
    const { bytes_after: compacted } = await compactTable(lake, lake.table('trades'), { minFiles: 2 })
    const connection = await lake.duck.connect()
    const csv = join(folder, 'rows.csv')
    const names = files.map(file => quoteText(file)).join(', ')
    const rows = `SELECT * EXCLUDE (vendor_data) FROM read_parquet([${names}], hive_partitioning = false)`
    await runSql(connection, `COPY (${rows}) TO ${quoteText(csv)} (FORMAT csv)`)
    const csvBytes = statSync(csv).size
    const figure = (name: string, bytes: number): Figure => {
      const detail = `${(csvBytes / bytes).toFixed(2)} times smaller than the CSV`
      return { name: `bytes a trade, ${name}`, value: bytes / ROWS, unit: 'bytes', detail }
    }
    return [
      figure('as appended', ours),
      figure('compacted', compacted),
      figure('PyIceberg, zstd', theirs),
      figure('CSV of the same rows', csvBytes),
    ]
  })
}
