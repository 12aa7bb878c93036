// One symbol's hour and day out of a day of 20 M trades of a hundred symbols: planned and read into columns, beside
// DuckDB from Python on the same files and PyIceberg on the same table. K2_BENCH_ROWS takes fewer.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { timestampText } from '../src/contract/columns.ts'
import { TABLES } from '../src/contract/tables.ts'
import { localPath } from '../src/main/lake/io/location.ts'
import type { Lake } from '../src/main/lake/lake.ts'
import { startJudge, type Judge } from '../tests/support/pyiceberg.ts'
import { catalogFor, localLakeOptions, withLake } from './support/bench-lake.ts'
import { dayWarehouse, type Built } from './support/day-warehouse.ts'
import { planWindow, readWindow, WINDOW_COLUMNS, type TimeWindow } from './support/read-window.ts'
import { createRandom, DAY_MICROS, symbolName, TAPE_START_MICROS, TAPE_SYMBOLS } from './support/tape.ts'
import { alternate, spread, timesOf, type Times } from './support/timing.ts'
import type { Figure } from './figure.ts'

const ROWS = Number(process.env.K2_BENCH_ROWS ?? 20_000_000)
const HOUR_MICROS = 3600e6
const WARM_UP = 5
const ROUNDS = 40
const PYICEBERG_ROUNDS = 6
const FRESH_RUNS = 5
const ALL_COLUMNS = TABLES.trades.columns.map(({ name }) => name)

export async function run(): Promise<Figure[]> {
  const { folder, built } = dayWarehouse(ROWS)
  const peer = await startJudge(join(import.meta.dirname, 'peers/peer.py'))
  try {
    return await withLake(localLakeOptions(folder), async lake => {
      const reader = { lake, connection: await lake.duck.connect(), peer, catalog: catalogFor(folder) }
      return [
        ...buildingFigures(built),
        ...(await measureWindow(reader, 'hour', HOUR_MICROS, WINDOW_COLUMNS, '≤ 6 ms')),
        ...(await measureWindow(reader, 'day', DAY_MICROS, WINDOW_COLUMNS, '≤ 25 ms')),
        ...(await measureWindow(reader, 'hour', HOUR_MICROS, ALL_COLUMNS)),
        measureFresh(folder),
      ]
    })
  } finally {
    await peer.close()
  }
}

function buildingFigures({ rows, appendMs, filesBefore, compactMs, files, bytes, compactMb }: Built): Figure[] {
  const millions = `${rows / 1e6} M trades`
  return [
    { name: `${millions} appended by commits of half a million`, value: (rows / appendMs) * 1000, unit: 'rows/s' },
    {
      name: `${millions} compacted`,
      value: (rows / compactMs) * 1000,
      unit: 'rows/s',
      detail: `${filesBefore} files into ${files} in ${(compactMs / 1000).toFixed(1)} s; ${(bytes / rows).toFixed(1)} bytes a trade`,
    },
    { name: 'resident memory while compacting', value: compactMb, unit: 'MB', detail: "the whole process' most" },
  ]
}

interface Reader {
  lake: Lake
  connection: DuckDBConnection
  peer: Judge
  catalog: Record<string, string>
}

async function measureWindow(
  { lake, connection, peer, catalog }: Reader,
  name: string,
  lengthMicros: number,
  columns: readonly string[],
  target?: string,
): Promise<Figure[]> {
  const random = createRandom(lengthMicros)
  const windows = Array.from({ length: WARM_UP + ROUNDS }, (): TimeWindow => {
    const from = Math.floor(random() * (DAY_MICROS - lengthMicros))
    return { symbol: symbolName(Math.floor(random() * TAPE_SYMBOLS)), from, to: from + lengthMicros }
  })
  const rowsOfRound = new Map<number, number>()
  const asked = ({ symbol, from, to }: TimeWindow) => {
    const [start, end] = [from, to].map(micros => timestampText(TAPE_START_MICROS + micros).replace('Z', '+00:00'))
    return { symbol, start, end, columns }
  }
  /** Whoever reads a window must find the rows that the others find. */
  const agree = (round: number, rows: number) => {
    const known = rowsOfRound.get(round) ?? rows
    if (known !== rows) throw new Error(`One read ${known} rows where another read ${rows}.`)
    rowsOfRound.set(round, rows)
  }
  const ask = async (question: string, round: number, args: object) => {
    const { ms, rows } = await peer.ask<{ ms: number; rows: number }>(question, { ...asked(windows[round]), ...args })
    agree(round, rows)
    return ms
  }
  const filesOf = async (window: TimeWindow) =>
    (await planWindow(lake, window)).files.map(({ file }) => localPath(file.path))
  const competitors = {
    ours: async (round: number) => {
      const started = performance.now()
      const { rowCount } = await readWindow(lake, connection, windows[round], columns)
      const elapsedMs = performance.now() - started
      agree(round, rowCount)
      return elapsedMs
    },
    duckdb: async (round: number) => ask('read_duckdb', round, { files: await filesOf(windows[round]) }),
  }
  await alternate(WARM_UP, competitors)
  const { ours, duckdb } = await alternate(ROUNDS, competitors)
  const theirs = await alternate(PYICEBERG_ROUNDS, {
    ours: competitors.ours,
    pyiceberg: round => ask('read_pyiceberg', round, { catalog, table: 'market_data.trades' }),
  })
  const what = `a symbol's ${name}, ${columns.length} columns`
  const figure = (who: string, times: Times, goal?: string): Figure => {
    return { name: `${what}: ${who}, p50`, value: times.p50, unit: 'ms', target: goal, detail: spread(times) }
  }
  const detail = `the least of both: ${(ours.min / duckdb.min).toFixed(2)}; ${rowsOfRound.get(0)!.toLocaleString('en')} rows`
  return [
    figure('planned and read', ours, target),
    figure('DuckDB from Python, same files, into Arrow', duckdb),
    { name: `${what}: ours to DuckDB's, p50`, value: ours.p50 / duckdb.p50, unit: '', target: '≤ 2', detail },
    figure('PyIceberg', theirs.pyiceberg),
  ]
}

/** With what a process finds when it has just opened the lake: nothing read, no loop warm. */
function measureFresh(folder: string): Figure {
  const script = join(import.meta.dirname, 'support/read-window.ts')
  const elapsedMs = Array.from({ length: FRESH_RUNS }, (_, k) =>
    Number(execFileSync(process.execPath, ['--import', 'tsx', script, folder, symbolName(17 * k)])),
  )
  const times = timesOf(elapsedMs)
  const name = "a symbol's day, 3 columns: first thing in a new process, p50"
  return { name, value: times.p50, unit: 'ms', detail: spread(times) }
}
