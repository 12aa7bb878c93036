// From the intake into the table: what was taken in is drained, staged and committed as planned, one flush after the other.
import type { Bell } from '../base/bell.ts'
import { commitFlush, discard } from './commit-flush.ts'
import { stoppedAt } from './cut-off.ts'
import { drainStreams, joinDrained, type Drained } from './drain-streams.ts'
import { createNotes } from './note-progress.ts'
import { lagOf, vectorOf, type TopicStream } from './places.ts'
import { planFlush, type FlushPlan } from './plan-flush.ts'
import { heldIn } from './read-topics.ts'
import type { StagedRows } from '../market/stream-table.ts'
import type { TableContext } from './table-context.ts'

/** Drained and in files, and in no commit yet. */
interface Pending extends Drained {
  staged: StagedRows[]
  parts: number
  messages: number
  /** When the oldest of its messages came. */
  oldestMs: number
}

/** Until nothing more is read and all of it is committed. */
export async function flushTable(context: TableContext, hasEnded: () => Promise<boolean>): Promise<void> {
  const { settings } = context.options
  const { batchSize, batchSeconds, commitEveryMs: leastMs } = settings
  const timing = { batchSize, batchMs: batchSeconds * 1000, leastMs }
  const notes = createNotes(context)
  let pending: Pending | undefined
  let committedMs = -Infinity
  let isCommitting = false
  try {
    for (;;) {
      const isLast = await hasEnded()
      const plan = nextStep(isLast)
      if (plan.do === 'wait') {
        if (isLast) break
        // Rung while it was looked whether it has ended: nothing would ring again.
        if (context.reading.aborted) continue
        await waitAtMost(context.changed, plan.ms)
        continue
      }
      pending = joinPending(pending, drain(context))
      await stage(context, pending)
      if (plan.do === 'stage' && pending.cutOff === undefined) continue
      committedMs = performance.now()
      isCommitting = true
      await commitPending(context, pending)
      isCommitting = false
      const { to, cutOff }: Pending = pending
      pending = undefined
      notes.note(to)
      context.step('noted')
      if (cutOff) throw stoppedAt(cutOff)
    }
    await notes.settled()
  } finally {
    // What a commit has been asked for with is the commit's.
    if (!isCommitting) await discard(pending?.staged ?? [])
  }

  function nextStep(isLast: boolean): FlushPlan {
    const nowMs = performance.now()
    const oldestMs = pending?.oldestMs ?? context.oldestMs
    return planFlush(
      {
        ...heldIn(context.streams.values()),
        stagedRows: pending?.rows ?? 0,
        stagedParts: pending?.parts ?? 0,
        waitedMs: oldestMs === undefined ? undefined : nowMs - oldestMs,
        lag: unreadIn(context.streams.values()),
        sinceCommitMs: nowMs - committedMs,
        isLast,
      },
      timing,
    )
  }
}

function drain(context: TableContext): Pending {
  const { streams, options, heldMessages: messages, oldestMs = performance.now(), drained } = context
  const part = drainStreams([...streams.values()], options.settings)
  context.oldestMs = undefined
  context.heldMessages = 0
  context.rowsInFlight += part.rows
  drained.ring()
  return { ...part, staged: [], parts: 1, messages, oldestMs }
}

function joinPending(earlier: Pending | undefined, later: Pending): Pending {
  if (!earlier) return later
  return {
    ...joinDrained(earlier, later),
    staged: earlier.staged,
    parts: earlier.parts + 1,
    messages: earlier.messages + later.messages,
    oldestMs: earlier.oldestMs,
  }
}

/** Into files, and out of memory. */
async function stage(context: TableContext, pending: Pending): Promise<void> {
  const { hold, stream, dying } = context
  const batches = pending.batches.splice(0)
  if (batches.length > 0) pending.staged.push(await hold('s3', () => stream.stage(batches, dying)))
  for (const release of pending.release.splice(0)) release()
  context.step('staged')
}

async function commitPending(context: TableContext, pending: Pending): Promise<void> {
  const { streams, stream: table, sides, hold, options, totals } = context
  const { rows, deadLetters, gaps, to, gapsTo, staged, validThroughMicros, messages } = pending
  const { duplicates, outOfOrder, resets, times } = pending
  const { onCommit, onDeadLetters } = options.events ?? {}
  const begunMs = performance.now()
  const from = vectorOf(streams.values(), ({ committed }) => committed)
  const flush = { staged, deadLetters, gaps, from, to, gapsTo, validThroughMicros }
  await commitFlush(flush, { table, ...sides, hold, onStep: context.step })
  markCommitted(streams.values(), pending)
  context.rowsInFlight -= rows
  totals.rows += rows
  totals.commits++
  totals.deadLetters += deadLetters.length
  totals.gaps += gaps.length
  totals.duplicates += duplicates
  totals.outOfOrder += outOfOrder
  if (deadLetters.length > 0) onDeadLetters?.(deadLetters)
  onCommit?.({
    table: context.table,
    rows,
    messages,
    deadLetters: deadLetters.length,
    gaps: gaps.length,
    duplicates,
    outOfOrder,
    resets,
    validThroughMicros,
    times,
    elapsedMs: performance.now() - begunMs,
    offsets: to,
  })
}

function markCommitted(streams: Iterable<TopicStream>, { to, readMicros }: Drained): void {
  for (const stream of streams) {
    const next = to.find(({ topic }) => topic === stream.topic)?.next ?? {}
    stream.isNew = false
    for (const [partition, place] of stream.places) {
      if (!(partition in next)) continue
      place.committed = next[partition]
      place.committedMicros = readMicros.get(place)
    }
  }
}

function unreadIn(streams: Iterable<TopicStream>): number {
  let unread = 0
  for (const { places } of streams) for (const place of places.values()) unread += lagOf(place).unread
  return unread
}

async function waitAtMost(bell: Bell, ms: number): Promise<void> {
  const over = new AbortController()
  const timer = setTimeout(() => over.abort(), ms)
  await bell.wait(over.signal)
  clearTimeout(timer)
}
