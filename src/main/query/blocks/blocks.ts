// Decoded columns of the tables, kept by file and symbol: what bars, as-of joins, hybrid answers and seeks read.
//
// A block is one symbol's rows of one data file, in the total order, as columns of the contract. Files never change, so
// nothing is ever invalidated; what was used least recently goes when there is no room. A column is read from Parquet
// when it is first asked for, those of several symbols that are asked for at the same time in one reading of the file.
// Times are doubles; decimals have the fewest places and bits that say them exactly (see duck/read-narrow.ts), so `scale`
// differs from block to block; beyond 2^53 they are 64-bit integers.
//
//   const { runs, files } = await blocks.read({ at, symbol, exchange, startMicros, endMicros, columns }, signal)
//
// gives the rows of a range as runs that follow each other in the total order. A run is a view of one block (`of`) where
// that block's rows are alone in their time, else a merged copy of several. Never write into it. `columns` are any of the
// table's, `exchange_timestamp` always comes too; `OFF_MARKET` is a column that is made of the trade's conditions.
// Memory is that of the whole range: ask for long ones piece by piece.
import type { Column, ColumnBatch } from '../../../contract/columns.ts'
import { takeColumn, viewColumn } from '../../../contract/take-rows.ts'
import { firstNotBelow } from '../../market/row-order.ts'
import type { FileCounts, TableAt } from '../../lake/reads.ts'
import { createBoundedCache } from '../../base/bounded-cache.ts'
import { bytesOfColumn, joinColumns } from './combine-columns.ts'
import { mergeOrder } from './merge-blocks.ts'
import { createReader } from './gather-reads.ts'
import { filterOf, type BlockSource, type BlockTools, type ScanFile } from './read-block.ts'
import { ALL_KEYS, KEY_LEVELS, TIME, totalOrder } from './total-order.ts'

export { OFF_MARKET } from './read-block.ts'

export interface BlockQuestion {
  at: TableAt
  symbol: string
  /** In any case; all exchanges when left out. */
  exchange?: string
  startMicros?: number
  /** Exclusive. */
  endMicros?: number
  columns: readonly string[]
  /** Rows that are in no file yet, in the total order, with these columns and those that order them. */
  fresh?: ColumnBatch
}

/** `of`: the rows that it is a view of, and the one that it begins with; a merged copy has none. */
export interface Run extends ColumnBatch {
  of?: { columns: ReadonlyMap<string, Column>; from: number }
}

export interface SymbolRows {
  /** Each has its first row after the last one of the run before, and at least one row. */
  runs: readonly Run[]
  rowCount: number
  files: FileCounts
}

export interface Blocks {
  read: (question: BlockQuestion, signal?: AbortSignal) => Promise<SymbolRows>
  stats: () => { bytes: number; entries: number; hits: number; misses: number }
}

export interface BlocksOptions extends BlockTools {
  maxBytes: number
  /** For metrics: blocks that had all that was asked for, and those that had not. */
  onLook?: (look: { hits: number; misses: number }) => void
}

interface Block {
  bytes: number
  columns: Map<string, Column>
  /** How its rows lie in the file, once they are known: `order[i]` is the row of the file that is row i of the block. */
  order: Uint32Array | undefined
  /** Whoever adds columns waits for whoever does so already. */
  turn: Promise<unknown>
}

/** Of a small file all numbers that order its rows are read at once: a second reading costs more. */
const KEYS_TOO_ROWS = 100_000

export function createBlocks({ reads, pool, maxBytes, onLook }: BlocksOptions): Blocks {
  const cache = createBoundedCache<Block>(maxBytes)
  const readColumns = createReader({ reads, pool })
  const counts = { hits: 0, misses: 0 }

  /** The columns of a block, read where they are missing. */
  async function columnsOf(
    source: BlockSource,
    wanted: readonly string[],
    signal?: AbortSignal,
  ): Promise<Map<string, Column>> {
    const hasDeletes = source.file.deletes.length > 0
    // What is left of a file with deletes comes in any order, so its columns are read together.
    const names = [...new Set(hasDeletes ? [...ALL_KEYS, ...wanted] : [TIME, ...wanted])]
    const key = keyOf(source, hasDeletes ? names : [])
    let block = cache.get(key)
    if (!block) cache.put(key, (block = { bytes: 0, columns: new Map(), order: undefined, turn: Promise.resolve() }))
    if (names.every(name => block.columns.has(name))) {
      counts.hits++
      onLook?.({ hits: 1, misses: 0 })
      return block.columns
    }
    counts.misses++
    onLook?.({ hits: 0, misses: 1 })
    const added = block.turn.then(() => addColumns(block, source, names, signal))
    block.turn = added.catch(() => {})
    await added
    block.bytes = weigh(block)
    cache.put(key, block)
    return block.columns
  }

  async function addColumns(block: Block, source: BlockSource, names: readonly string[], signal?: AbortSignal) {
    const missing = names.filter(name => !block.columns.has(name))
    if (missing.length === 0) return
    const isNew = block.columns.size === 0
    const isSmall = isNew && source.file.file.recordCount <= KEYS_TOO_ROWS
    const read = new Map<string, Column>()
    const readMore = async (more: readonly string[]) => {
      const lacking = more.filter(name => !read.has(name))
      if (lacking.length === 0) return
      for (const [name, column] of await readColumns(source, lacking, signal)) read.set(name, column)
    }
    await readMore(isSmall ? [...new Set([...missing, ...KEY_LEVELS[0], ...KEY_LEVELS[1]])] : missing)
    if (isNew) {
      const keys = async (level: readonly string[]) => {
        await readMore(level)
        return level.map(name => read.get(name)!)
      }
      block.order = await totalOrder(read.get(TIME)!, keys)
    }
    for (const [name, column] of read) block.columns.set(name, block.order ? takeColumn(column, block.order) : column)
  }

  return {
    async read(asked, signal) {
      const { at, symbol, startMicros = -Infinity, endMicros = Infinity } = asked
      const exchange = asked.exchange?.toUpperCase()
      const filter = filterOf({ ...asked, exchange, symbols: [symbol] })
      const planned = await reads.plan(at, { filter }, signal)
      const load = async (file: ScanFile): Promise<Slice> => {
        const source = { at, file, symbol, exchange }
        const columns = await columnsOf(source, asked.columns, signal)
        return { columns, keys: names => columnsOf(source, names, signal), ...rangeIn(columns, startMicros, endMicros) }
      }
      const slices = await Promise.all(planned.map(load))
      if (asked.fresh) slices.push(sliceOf(asked.fresh, startMicros, endMicros))
      const passing = slices.filter(({ from, to }) => from < to)
      const names = [...new Set([TIME, ...asked.columns])]
      const runs: Run[] = []
      for (const cluster of clustersOf(passing)) runs.push(await runOf(cluster, names))
      const rowCount = runs.reduce((sum, run) => sum + run.rowCount, 0)
      return { runs, rowCount, files: { total: planned.length, pruned: 0, read: planned.length } }
    },
    stats: () => ({ ...cache.stats(), ...counts }),
  }
}

/** Rows of a block, from one up to another. */
interface Slice {
  columns: ReadonlyMap<string, Column>
  /** Further columns of the block, for when rows of two blocks have the same time. */
  keys: (names: readonly string[]) => Promise<ReadonlyMap<string, Column>>
  from: number
  to: number
}

function sliceOf(batch: ColumnBatch, startMicros: number, endMicros: number): Slice {
  const columns = new Map(Object.entries(batch.columns))
  return { columns, keys: () => Promise.resolve(columns), ...rangeIn(columns, startMicros, endMicros) }
}

function rangeIn(columns: ReadonlyMap<string, Column>, startMicros: number, endMicros: number) {
  const times = columns.get(TIME)!.values as Float64Array
  return { from: firstNotBelow(times, startMicros), to: firstNotBelow(times, endMicros) }
}

/** Slices that overlap in time together, in the order of time. */
function clustersOf(slices: readonly Slice[]): Slice[][] {
  const timeAt = ({ columns }: Slice, row: number) => columns.get(TIME)!.values[row] as number
  const sorted = slices.toSorted((a, b) => timeAt(a, a.from) - timeAt(b, b.from))
  const clusters: Slice[][] = []
  let last = -Infinity
  for (const slice of sorted) {
    if (clusters.length > 0 && timeAt(slice, slice.from) <= last) clusters[clusters.length - 1].push(slice)
    else clusters.push([slice])
    last = Math.max(last, timeAt(slice, slice.to - 1))
  }
  return clusters
}

async function runOf(cluster: readonly Slice[], names: readonly string[]): Promise<Run> {
  const rowCount = cluster.reduce((sum, { from, to }) => sum + to - from, 0)
  const viewOf = (name: string) => cluster.map(slice => viewColumn(slice.columns.get(name)!, slice.from, slice.to))
  const [{ columns, from }] = cluster
  if (cluster.length === 1)
    return { rowCount, columns: Object.fromEntries(names.map(name => [name, viewOf(name)[0]])), of: { columns, from } }
  const order = await mergeOrder(viewOf(TIME), async keys => {
    const found = await Promise.all(cluster.map(slice => slice.keys(keys)))
    return keys.map(key => cluster.map(({ from, to }, i) => viewColumn(found[i].get(key)!, from, to)))
  })
  const merged = names.map(name => [name, takeColumn(joinColumns(viewOf(name)), order)] as const)
  return { rowCount, columns: Object.fromEntries(merged) }
}

function keyOf({ at, file, symbol, exchange = '' }: BlockSource, names: readonly string[]): string {
  const deletes = file.deletes.map(({ path }) => path)
  return JSON.stringify([at.table, file.file.path, symbol, exchange, deletes, names])
}

function weigh({ columns, order }: Block): number {
  let bytes = order?.byteLength ?? 0
  for (const column of columns.values()) bytes += bytesOfColumn(column)
  return bytes
}
