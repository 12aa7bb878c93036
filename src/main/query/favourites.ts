// The instruments most asked for: kept with the profile, and decoded after the next start while nobody asks anything, so
// that the first question about them finds their newest day ready. A question stops what is being decoded at once; it is
// begun again when it has been quiet for a while.
import { setMaxListeners } from 'node:events'
import { mkdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TailTable } from '../../contract/tables.ts'
import { writeAtomically } from '../base/write-atomically.ts'
import type { LakeReads } from '../lake/reads.ts'
import type { BlockQuestion, Blocks } from './blocks/blocks.ts'
import { filterOf } from './blocks/read-block.ts'
import type { QueryPool } from './pool.ts'

export interface Favourites {
  /** The same blocks, with their questions counted. */
  blocks: Blocks
  /** The same pool; whoever asks it is not to be held up. */
  pool: QueryPool
  /** Until all are decoded, or take enough memory. */
  warm: (signal: AbortSignal) => Promise<void>
  /** Keeps them for the next time. */
  save: () => void
}

export interface FavouritesParts {
  path: string
  reads: LakeReads
  pool: QueryPool
  blocks: Blocks
  /** Of decoded columns. */
  maxBytes?: number
  /** Nobody has asked anything for so long. */
  quietMs?: number
}

const MOST_KEPT = 20
const MOST_KNOWN = 1_000
const MAX_BYTES = 64_000_000
const QUIET_MS = 2_000
const DAY = 86_400e6

interface Favourite {
  table: TailTable
  symbol: string
  exchange?: string
  columns: string[]
  /** How often; what was asked the last times counts half. */
  asked: number
}

export function openFavourites(parts: FavouritesParts): Favourites {
  const { path, reads, pool, blocks, maxBytes = MAX_BYTES, quietMs = QUIET_MS } = parts
  const known = new Map(load(path).map(one => [keyOf(one), one]))
  let running = 0
  let endedMs = -Infinity
  let decoding = new AbortController()

  /** From here on until what is returned is called. */
  function stopDecoding(): () => void {
    running++
    decoding.abort()
    return () => {
      running--
      endedMs = performance.now()
    }
  }

  async function undisturbed<T>(ask: () => Promise<T>): Promise<T> {
    const end = stopDecoding()
    try {
      return await ask()
    } finally {
      end()
    }
  }

  async function* undisturbedStream<T>(batches: AsyncIterable<T>): AsyncGenerator<T, void> {
    const end = stopDecoding()
    try {
      yield* batches
    } finally {
      end()
    }
  }

  function count({ at: { table }, symbol, exchange, columns }: BlockQuestion): void {
    if (table !== 'trades' && table !== 'quotes') return
    const named = { table, symbol, ...(exchange !== undefined && { exchange }) }
    const { asked, columns: before } = known.get(keyOf(named)) ?? { asked: 0, columns: [] }
    if (known.size >= MOST_KNOWN) forgetRare()
    known.set(keyOf(named), { ...named, columns: [...new Set([...before, ...columns])], asked: asked + 1 })
  }

  /** Anybody may ask for any symbol, whether there is one of that name or not. */
  function forgetRare(): void {
    const kept = mostAsked(known.values())
    known.clear()
    for (const one of kept) known.set(keyOf(one), one)
  }

  async function decode({ table, symbol, exchange, columns }: Favourite, signal: AbortSignal): Promise<void> {
    const at = await reads.at(table, undefined, signal)
    const filter = filterOf({ symbols: [symbol], exchange })
    const spans = await reads.spans(at, { filter }, 'exchange_timestamp', signal)
    const last = spans.reduce((most, { toMicros }) => Math.max(most, toMicros), -Infinity)
    if (Number.isFinite(last)) await blocks.read({ at, symbol, exchange, columns, startMicros: last - DAY }, signal)
  }

  /** False when a question came between. */
  async function decodeInQuiet(one: Favourite, caller: AbortSignal): Promise<boolean> {
    do await sleep(quietMs, undefined, { signal: caller })
    while (running > 0 || performance.now() - endedMs < quietMs)
    const { signal } = (decoding = new AbortController())
    const either = AbortSignal.any([caller, signal])
    // Each file that is read listens to it.
    setMaxListeners(0, either)
    try {
      await decode(one, either)
      return true
    } catch (error) {
      if (signal.aborted && !caller.aborted) return false
      throw error
    }
  }

  return {
    blocks: {
      ...blocks,
      read(question, signal) {
        count(question)
        return undisturbed(() => blocks.read(question, signal))
      },
    },
    pool: {
      ...pool,
      run(work, signal) {
        return undisturbed(() => pool.run(work, signal))
      },
      stream(work, signal) {
        return undisturbedStream(pool.stream(work, signal))
      },
    },
    async warm(caller) {
      for (const one of mostAsked(known.values())) {
        if (blocks.stats().bytes >= maxBytes) return
        try {
          while (!(await decodeInQuiet(one, caller)));
        } catch (error) {
          if (caller.aborted) throw error
          known.delete(keyOf(one)) // a column or file that is no more
        }
      }
    },
    save() {
      const kept = mostAsked(known.values()).map(one => ({ ...one, asked: one.asked / 2 }))
      try {
        mkdirSync(dirname(path), { recursive: true })
        writeAtomically(path, JSON.stringify(kept))
      } catch {
        // It only saves time.
      }
    },
  }
}

function mostAsked(all: Iterable<Favourite>): Favourite[] {
  return [...all].sort((a, b) => b.asked - a.asked).slice(0, MOST_KEPT)
}

function keyOf({ table, symbol, exchange }: Pick<Favourite, 'table' | 'symbol' | 'exchange'>): string {
  return JSON.stringify([table, symbol, exchange?.toUpperCase()])
}

/** None where there is no such file, or it is damaged. */
function load(path: string): Favourite[] {
  try {
    const kept: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return Array.isArray(kept) ? kept.filter(isFavourite) : []
  } catch {
    return []
  }
}

function isFavourite(value: unknown): value is Favourite {
  const { table, symbol, exchange, columns, asked } = (value ?? {}) as Partial<Record<keyof Favourite, unknown>>
  return (
    (table === 'trades' || table === 'quotes') &&
    typeof symbol === 'string' &&
    (exchange === undefined || typeof exchange === 'string') &&
    Array.isArray(columns) &&
    columns.every(column => typeof column === 'string') &&
    typeof asked === 'number'
  )
}
