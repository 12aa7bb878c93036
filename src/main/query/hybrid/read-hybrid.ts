// Fresh and history in one answer: one snapshot of the table, whole, and from its offsets on what the live view holds up to
// one position. No row is missing in between, and none comes twice. With one of the two away it is the other's rows,
// partial, with the reason.
import { setTimeout as sleep } from 'node:timers/promises'
import type { ColumnBatch } from '../../../contract/columns.ts'
import { Failure } from '../../../contract/failure.ts'
import type { QueryMeta } from '../../../contract/fields.ts'
import { emptyBatch } from '../../../contract/columns.ts'
import { TAIL_TABLES } from '../../../contract/tables.ts'
import { throwIfCancelled } from '../../base/cancelled.ts'
import { inTime } from '../../base/in-time.ts'
import { firstNotBelow } from '../../market/row-order.ts'
import type { OffsetVector } from '../../market/topic-offsets.ts'
import type { FreshRows } from '../../tail/relay-contract.ts'
import { LIVE_MS } from '../ask-live.ts'
import type { QueryTools } from '../tools.ts'
import { createGrounds, reachedOffsets, serves, type Base, type Ground } from './base.ts'
import { hybridMeta } from './hybrid-meta.ts'
import { lakeWindows, type Window } from './lake-window.ts'
import { leaveOutKnown } from './leave-out-known.ts'
import { mergeNewest, type RowRun } from './merge-rows.ts'
import { missingOffsets, type WantedOffset } from './min-offsets.ts'
import type { HybridQuestion } from './question.ts'

export interface HybridAnswer {
  /** Ascending in the total order. */
  data: ColumnBatch
  query: QueryMeta
  /** What it stands on; nothing where the table could not be read. */
  base: Base | undefined
  /** How far it is in the log. */
  reached: () => OffsetVector
}

export interface ReadOptions {
  signal?: AbortSignal
  /** It waits until it has read so far, for a while. */
  minOffsets?: readonly WantedOffset[]
}

export type ReadHybrid = (question: HybridQuestion, options?: ReadOptions) => Promise<HybridAnswer>

/** What either source gave, or why it did not. */
export interface Part<T> {
  value?: T
  error?: Failure
  ms: number
}

export interface Found {
  ground: Part<Ground>
  lake: Part<{ window: Window; isHeld: boolean }>
  live: Part<FreshRows>
  base: Base | undefined
}

/** Where one source takes longer, the other answers alone. */
const LAKE_MS = 10_000
/** Commits and trimming go on meanwhile: what does not serve is asked again, at the newest snapshot. */
const MOST_TRIES = 4
const MIN_OFFSETS_MS = 5_000
const LOOK_AGAIN_MS = 25

/** Remembers between questions what it has read of which snapshot. */
export function createHybrid(tools: QueryTools): ReadHybrid {
  const grounds = createGrounds(tools.reads)
  const windows = lakeWindows(tools)

  async function find(question: HybridQuestion, signal: AbortSignal | undefined): Promise<Found> {
    for (let tries = 1, anew = false; ; tries++) {
      const ground = await attempt(LAKE_MS, signal, within => grounds.look(question.table, within))
      const known = ground.value ?? grounds.last(question.table)
      const held = known && !anew ? windows.held(question, known) : undefined
      const base = held?.base ?? known?.head
      const [lake, live] = await Promise.all([
        attempt(LAKE_MS, signal, async within => {
          if (!known) throw ground.error!
          return { window: held ?? (await windows.read(question, known, within)), isHeld: held !== undefined }
        }),
        attempt(LIVE_MS, signal, within => askTail(tools, question, base?.offsets ?? [], within)),
      ])
      const found: Found = { ground, lake: { ...lake, ms: lake.ms + ground.ms }, live, base }
      anew = isBetterAnew(found)
      if (anew && tries < MOST_TRIES) continue
      if (!anew && ground.value && lake.value && live.value)
        windows.advance(question, lake.value.window, ground.value, live.value)
      return found
    }
  }

  return async (question, { signal, minOffsets = [] } = {}) => {
    const startedMs = performance.now()
    for (;;) {
      const found = await find(question, signal)
      const missing = missingOffsets(minOffsets, found)
      if (missing.length === 0) return answerOf(tools, question, found, startedMs)
      if (performance.now() - startedMs > MIN_OFFSETS_MS) throw notReached(missing)
      await sleep(LOOK_AGAIN_MS, undefined, { signal }).catch(() => {})
      throwIfCancelled(signal)
    }
  }
}

/** The snapshot of what is held may be too old for the live view, or not be enough without it. */
function isBetterAnew({ ground, lake, live, base }: Found): boolean {
  if (!ground.value || !base) return false
  const { head } = ground.value
  if (!lake.value || !live.value) return base.at.snapshotId !== head.at.snapshotId
  return !serves(base, head, live.value)
}

async function attempt<T>(
  ms: number,
  caller: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<Part<T>> {
  const startedMs = performance.now()
  try {
    const value = await inTime(ms, work, caller)
    return { value, ms: performance.now() - startedMs }
  } catch (error) {
    if (caller?.aborted || !(error instanceof Failure)) throw error
    return { error, ms: performance.now() - startedMs }
  }
}

async function askTail(
  { live }: QueryTools,
  question: HybridQuestion,
  boundary: OffsetVector,
  signal: AbortSignal,
): Promise<FreshRows> {
  const { table, symbols, exchange, sinceMicros, untilMicros, limit } = question
  const client = await live()
  return client['tail.fresh'](
    {
      data_type: table,
      boundary,
      symbols: symbols && [...symbols],
      exchange,
      since_micros: sinceMicros,
      until_micros: untilMicros,
      limit,
    },
    { signal },
  )
}

function answerOf(tools: QueryTools, question: HybridQuestion, found: Found, startedMs: number): HybridAnswer {
  const { lake, live, base } = found
  if (!lake.value && !live.value) throw neither(lake.error!, live.error!)
  const { columns } = TAIL_TABLES[question.table]
  const none: RowRun = { batch: emptyBatch(columns), from: 0, to: 0 }
  const liveRun = live.value ? { batch: live.value.rows, from: 0, to: live.value.rows.rowCount } : none
  const whole = lake.value ? runSince(lake.value.window.rows, question.sinceMicros) : none
  const lakeRun = base?.isCertain === false && live.value ? leaveOutKnown(whole, live.value.rows) : whole
  const { batch, rows } = mergeNewest(columns, lakeRun, liveRun, question.limit)
  const counts = { lake: rows[0], live: rows[1] }
  const query = hybridMeta(tools.clock, found, counts, startedMs)
  const stands = lake.value && base
  return { data: batch, query, base: stands, reached: () => reachedOffsets(stands, live.value) }
}

function runSince(batch: ColumnBatch, sinceMicros: number): RowRun {
  const { rowCount, columns } = batch
  return { batch, from: firstNotBelow(columns.exchange_timestamp.values, sinceMicros, 0, rowCount), to: rowCount }
}

function neither(lake: Failure, live: Failure): Failure {
  const what = `Neither the tables nor the live view can be read. Tables: ${lake.message} Live view: ${live.message}`
  return new Failure('UNAVAILABLE', what, { cause: lake })
}

function notReached(missing: readonly (WantedOffset & { reached: number })[]): Failure {
  const [{ topic, partition, offset, reached }] = missing
  const what = `Partition ${partition} of ${topic} was read up to ${reached} after ${MIN_OFFSETS_MS / 1000} s, not up to ${offset}.`
  return new Failure('TIMEOUT', `${what} Ask again, or for less; see k2 ingest offsets show.`, { details: { missing } })
}
