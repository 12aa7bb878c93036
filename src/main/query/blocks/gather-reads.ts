// Reads of one file that are wanted at the same time, as one: whoever asks for a symbol while others wait for the same
// columns of the same file gets it from their reading.
import { deferred, type Deferred } from '../../base/deferred.ts'
import { cancelled, throwIfCancelled } from '../../base/cancelled.ts'
import { readBlocks, type BlockColumns, type BlockSource, type BlockTools } from './read-block.ts'
import { createPlacesOf } from './symbol-places.ts'

export type ReadColumns = (source: BlockSource, names: readonly string[], signal?: AbortSignal) => Promise<BlockColumns>

/** So that other queries find connections between them. */
const FILES_AT_ONCE = 3
/** More would take long for the first of them. */
const MOST_SYMBOLS = 200

interface Waiting {
  symbol: string
  columns: Deferred<BlockColumns>
}

interface Group {
  key: string
  source: BlockSource
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
      while (running < FILES_AT_ONCE && queue.length > 0) void run(queue.shift()!)
    })
  }

  async function run(group: Group): Promise<void> {
    const { key, source, names, waiting, isLeft } = group
    if (open.get(key) === group) open.delete(key)
    if (waiting.size === 0) return
    running++
    try {
      const symbols = [...new Set([...waiting].map(({ symbol }) => symbol))]
      const found = await readBlocks({ ...tools, placesOf }, source, symbols, names, isLeft.signal)
      for (const { symbol, columns } of waiting) columns.resolve(found.get(symbol)!)
    } catch (error) {
      for (const { columns } of waiting) columns.reject(error)
    } finally {
      running--
      plan()
    }
  }

  function groupOf(source: BlockSource, names: readonly string[]): Group {
    const key = keyOf(source, names)
    const found = open.get(key)
    if (found && found.waiting.size < MOST_SYMBOLS) return found
    const group: Group = { key, source, names, waiting: new Set(), isLeft: new AbortController() }
    open.set(key, group)
    queue.push(group)
    return group
  }

  return async (source, names, signal) => {
    throwIfCancelled(signal)
    const group = groupOf(source, names)
    const waiting: Waiting = { symbol: source.symbol, columns: deferred<BlockColumns>() }
    const leave = () => {
      waiting.columns.reject(cancelled())
      group.waiting.delete(waiting)
      if (group.waiting.size === 0) group.isLeft.abort()
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

function keyOf({ at, file, exchange = '' }: BlockSource, names: readonly string[]): string {
  const deletes = file.deletes.map(({ path }) => path)
  return JSON.stringify([at.table, file.file.path, exchange, deletes, names])
}
