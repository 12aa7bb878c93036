// Reads that are wanted at the same time, as one: whoever asks for a symbol while others wait for the same columns of the
// same file gets it from their reading, and small files that a symbol is wanted of are read together.
import { Failure } from '../../../contract/failure.ts'
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
const FEW_OF_A_FILE = 4
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

  /** Nobody joins it any more. */
  function takeOut(group: Group): void {
    const place = queue.indexOf(group)
    if (place >= 0) queue.splice(place, 1)
    if (open.get(group.key) === group) open.delete(group.key)
  }

  /** With the small files that are read for the same few symbols. */
  function takeNext(): Group {
    const [first] = queue
    takeOut(first)
    if (!isOfFew(first)) return first
    const isMate = (group: Group) => group.kin === first.kin && isOfFew(group)
    const mates = queue.filter(isMate).slice(0, MOST_SMALL_FILES - 1)
    for (const mate of mates) {
      takeOut(mate)
      for (const waiting of mate.waiting) {
        waiting.group = first
        first.waiting.add(waiting)
      }
    }
    return first
  }

  async function run(group: Group): Promise<void> {
    const { waiting } = group
    running++
    try {
      const found = await read(group)
      for (const { symbol, file, columns } of waiting) columns.resolve(found.get(symbol)!.get(file.file.path)!)
    } catch (error) {
      if (pathsOf(group).size > 1 && error instanceof Failure && error.code === 'CORRUPT') readAlone(group)
      else for (const { columns } of waiting) columns.reject(error)
    } finally {
      running--
      plan()
    }
  }

  /** One of its files cannot be read: only who wants that one is to know. */
  function readAlone({ source, names, waiting }: Group): void {
    const alone = new Map<string, Group>()
    for (const one of waiting) {
      const { file } = one
      const group = alone.get(file.file.path) ?? { ...newGroup({ ...source, file }, names), kin: undefined }
      alone.set(file.file.path, group)
      group.waiting.add(one)
      one.group = group
    }
    queue.push(...alone.values())
  }

  /** By symbol and the path of the file. */
  async function read(group: Group): Promise<Map<string, Found>> {
    const { source, names, waiting } = group
    const { signal } = group.isLeft
    const wanted = new Map<string, Map<string, ScanFile>>()
    for (const { symbol, file } of waiting) {
      if (!wanted.has(symbol)) wanted.set(symbol, new Map())
      wanted.get(symbol)!.set(file.file.path, file)
    }
    if (pathsOf(group).size === 1) {
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
    const group = newGroup(source, names)
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
      const { group: own } = waiting
      own.waiting.delete(waiting)
      if (own.waiting.size > 0) return
      own.isLeft.abort()
      takeOut(own)
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

function newGroup(source: BlockFile, names: readonly string[]): Group {
  const [key, kin] = [keyOf(source, names), kinOf(source, names)]
  return { key, kin, source, names, waiting: new Set(), isLeft: new AbortController() }
}

type Found = ReadonlyMap<string, BlockColumns>

function pathsOf({ waiting }: Group): Set<string> {
  return new Set([...waiting].map(({ file }) => file.file.path))
}

function isOfFew({ kin, waiting }: Group): boolean {
  return kin !== undefined && new Set([...waiting].map(({ symbol }) => symbol)).size < FEW_OF_A_FILE
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
