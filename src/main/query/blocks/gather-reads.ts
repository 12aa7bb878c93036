// Reads that are wanted at the same time, as one: whoever asks for a symbol while others wait for the same columns of the
// same file gets it from their reading, and small files that a symbol is wanted of are read together.
import { deferred, type Deferred } from '../../base/deferred.ts'
import { cancelled, throwIfCancelled } from '../../base/cancelled.ts'
import { readBlocks } from './read-block.ts'
import type { BlockColumns, BlockFile, BlockSource, BlockTools, ScanFile } from './read-block.ts'
import { readSmallFiles } from './read-small-files.ts'
import { createPlacesOf } from './symbol-places.ts'

export type ReadColumns = (source: BlockSource, names: readonly string[], signal?: AbortSignal) => Promise<BlockColumns>

/** So that other queries find connections between them. */
const FILES_AT_ONCE = 3
/** More would take long for the first of them. */
const MOST_SYMBOLS = 200

/** A smaller file is read together with others for a symbol; a larger one takes long enough by itself. */
const SMALL_FILE_ROWS = 100_000
/** Where more wait for a file, it is read once for all of them. */
const FEW_SYMBOLS = 4
const MOST_SMALL_FILES = 250

interface Waiting {
  symbol: string
  file: ScanFile
  columns: Deferred<BlockColumns>
  group: Group
}

/** Of one file, or of small ones that were put together. */
interface Group {
  key: string
  /** Of small files: which may be read together. */
  kin: string | undefined
  source: BlockFile
  names: readonly string[]
  waiting: Set<Waiting>
  /** Nobody waits any more. */
  isLeft: AbortController
}

export function createReader(tools: BlockTools): ReadColumns {
  const placesOf = createPlacesOf()
  const queue: Group[] = []
  /** Those of the queue that have room. */
  const open = new Map<string, Group>()
  let running = 0
  let isPlanned = false

  /** After all who ask in the same turn have asked. */
  function plan(): void {
    if (isPlanned || queue.length === 0) return
    isPlanned = true
    setImmediate(() => {
      isPlanned = false
      while (running < FILES_AT_ONCE && queue.length > 0) void run(takeNext())
    })
  }

  /** With the small files that are read for the same few symbols. */
  function takeNext(): Group {
    const first = queue.shift()!
    if (open.get(first.key) === first) open.delete(first.key)
    if (!isOfFew(first)) return first
    const isMate = (group: Group) => group.kin === first.kin && isOfFew(group)
    const mates = queue.filter(isMate).slice(0, MOST_SMALL_FILES - 1)
    for (const mate of mates) {
      queue.splice(queue.indexOf(mate), 1)
      if (open.get(mate.key) === mate) open.delete(mate.key)
      for (const waiting of mate.waiting) {
        waiting.group = first
        first.waiting.add(waiting)
      }
    }
    return first
  }

  async function run(group: Group): Promise<void> {
    const { waiting } = group
    if (waiting.size === 0) return
    running++
    try {
      const found = await read(group)
      for (const { symbol, file, columns } of waiting) columns.resolve(found.get(symbol)!.get(file.file.path)!)
    } catch (error) {
      for (const { columns } of waiting) columns.reject(error)
    } finally {
      running--
      plan()
    }
  }

  /** By symbol and the path of the file. */
  async function read({ source, names, waiting, isLeft: { signal } }: Group): Promise<Map<string, Found>> {
    const wanted = new Map<string, Map<string, ScanFile>>()
    for (const { symbol, file } of waiting) {
      if (!wanted.has(symbol)) wanted.set(symbol, new Map())
      wanted.get(symbol)!.set(file.file.path, file)
    }
    const paths = new Set([...waiting].map(({ file }) => file.file.path))
    if (paths.size === 1) {
      const bySymbol = await readBlocks({ ...tools, placesOf }, source, [...wanted.keys()], names, signal)
      return new Map([...bySymbol].map(([symbol, columns]) => [symbol, new Map([[source.file.file.path, columns]])]))
    }
    return tools.pool.run(async lease => {
      const found = new Map<string, Found>()
      for (const [symbol, files] of wanted)
        found.set(symbol, await readSmallFiles(tools, { ...source, symbol, files: [...files.values()] }, names, lease))
      return found
    }, signal)
  }

  function groupOf(source: BlockFile, names: readonly string[]): Group {
    const key = keyOf(source, names)
    const found = open.get(key)
    if (found && found.waiting.size < MOST_SYMBOLS) return found
    const group = {
      key,
      kin: kinOf(source, names),
      source,
      names,
      waiting: new Set<Waiting>(),
      isLeft: new AbortController(),
    }
    open.set(key, group)
    queue.push(group)
    return group
  }

  return async (source, names, signal) => {
    throwIfCancelled(signal)
    const { symbol, file } = source
    const group = groupOf(source, names)
    const waiting: Waiting = { symbol, file, columns: deferred<BlockColumns>(), group }
    const leave = () => {
      waiting.columns.reject(cancelled())
      waiting.group.waiting.delete(waiting)
      if (waiting.group.waiting.size === 0) waiting.group.isLeft.abort()
    }
    signal?.addEventListener('abort', leave)
    group.waiting.add(waiting)
    plan()
    try {
      return await waiting.columns.promise
    } finally {
      signal?.removeEventListener('abort', leave)
    }
  }
}

type Found = ReadonlyMap<string, BlockColumns>

function isOfFew({ kin, waiting }: Group): boolean {
  return kin !== undefined && new Set([...waiting].map(({ symbol }) => symbol)).size < FEW_SYMBOLS
}

function keyOf({ at, file, exchange = '' }: BlockFile, names: readonly string[]): string {
  const deletes = file.deletes.map(({ path }) => path)
  return JSON.stringify([at.table, file.file.path, exchange, deletes, names])
}

/** Of the same snapshot, so that all of them are found in it. */
function kinOf({ at, file, exchange = '' }: BlockFile, names: readonly string[]): string | undefined {
  if (file.file.recordCount > SMALL_FILE_ROWS || file.deletes.length > 0) return undefined
  return JSON.stringify([at.table, at.snapshotId, exchange, names])
}
