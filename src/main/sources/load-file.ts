// One file into a table, whole or not at all, or into a log. Tells how far it is on the way.
import type { LoadProgress } from '../../contract/ingest.ts'
import { Failure } from '../../contract/failure.ts'
import type { DeadLetters } from './dead-letters.ts'
import type { BadRow, FileSource } from './file-source.ts'
import type { AlreadyLoaded, Load, LoadTarget } from './load-target.ts'

export interface LoadFileOptions {
  file: string
  source: FileSource
  target: LoadTarget
  deadLetters: DeadLetters
  again: boolean
  signal: AbortSignal
  report: (progress: LoadProgress) => void
  nowMs: () => number
}

export async function loadFile(options: LoadFileOptions): Promise<LoadProgress> {
  const { file, source, target, again, signal, nowMs } = options
  const contentHash = target.isForgetful ? undefined : await source.contentHash(signal)
  const begun = await target.begin(source.table, { name: file, contentHash }, again)
  const startMs = nowMs()
  const progress: LoadProgress = {
    file,
    state: 'loading',
    rows: 0,
    bad_rows: 0,
    bytes_read: 0,
    bytes_total: source.bytesTotal,
    rows_per_second: 0,
    seconds_left: null,
  }
  if ('alreadyLoaded' in begun) {
    return skipped(progress, begun.alreadyLoaded)
  }
  let isCommitting = false
  try {
    const firstBad = await readInto(begun, progress, options, startMs)
    if (progress.rows === 0 && firstBad) throw noRows(progress.bad_rows, firstBad)
    const kept = progress.bad_rows > 0 ? { dead_letters: options.deadLetters.path } : {}
    // Without rows there is nothing to commit, and the next load may find the file filled.
    if (progress.rows === 0) return await nothingLoaded(begun, progress)
    // Before the commit: a row is in the table or in the dead letters at any moment, never in neither.
    await options.deadLetters.keep()
    signal.throwIfAborted()
    isCommitting = true
    const { snapshotId, rows, why } = await begun.commit(contentHash ?? '')
    return {
      ...progress,
      ...paceOf(progress, nowMs() - startMs),
      state: 'loaded',
      rows,
      ...(snapshotId !== undefined && { snapshot_id: snapshotId }),
      ...kept,
      ...(why !== undefined && { why }),
    }
  } catch (error) {
    await options.deadLetters.discard()
    const meanwhile = loadedMeanwhile(error)
    if (meanwhile) return skipped(progress, meanwhile)
    // What may be committed is the target's to find out, not ours to take back.
    if (!isCommitting) await begun.abort()
    throw withWhatStays(error, begun.whatStays?.())
  }
}

function skipped(progress: LoadProgress, { at, snapshotId }: AlreadyLoaded['alreadyLoaded']): LoadProgress {
  const why = `Its content was loaded on ${at}; --again loads it once more, as is right after a rollback.`
  return { ...progress, rows: 0, state: 'skipped', snapshot_id: snapshotId, why }
}

/** Somebody else loaded the same content while we read it, and was first. */
function loadedMeanwhile(error: unknown): AlreadyLoaded['alreadyLoaded'] | undefined {
  return error instanceof Failure ? (error.details as Partial<AlreadyLoaded> | undefined)?.alreadyLoaded : undefined
}

function withWhatStays(error: unknown, stays: string | undefined): unknown {
  if (stays === undefined || !(error instanceof Failure)) return error
  const { code, message, details, retryable, cause } = error
  return new Failure(code, `${message} ${stays}`, { details, retryable, cause: cause ?? error })
}

/** The next batch is read while the one before is written. Gives the first bad row. */
async function readInto(load: Load, progress: LoadProgress, options: LoadFileOptions, startMs: number) {
  const { source, deadLetters, signal, report, nowMs } = options
  let firstBad: BadRow | undefined
  let writing: Promise<void> = Promise.resolve()
  try {
    for await (const { batch, badRows, bytesRead } of source.read(signal)) {
      firstBad ??= badRows[0]
      await deadLetters.write(badRows)
      progress.bad_rows += badRows.length
      progress.bytes_read = bytesRead
      if (batch) {
        await writing
        writing = load.append(batch)
        // Whoever awaits it next gets its error; until then it must not count as unhandled.
        writing.catch(() => {})
        progress.rows += batch.rowCount
      }
      signal.throwIfAborted()
      report({ ...progress, ...paceOf(progress, nowMs() - startMs) })
    }
  } finally {
    // Nothing of the load may run on once it is aborted.
    await writing.catch(() => {})
  }
  await writing
  return firstBad
}

async function nothingLoaded(load: Load, progress: LoadProgress): Promise<LoadProgress> {
  await load.abort()
  return { ...progress, state: 'loaded', seconds_left: 0, why: 'It has no rows.' }
}

function paceOf({ rows, bytes_read, bytes_total }: LoadProgress, elapsedMs: number) {
  const seconds = Math.max(elapsedMs, 1) / 1000
  const left = bytes_read === 0 ? null : ((bytes_total - bytes_read) / bytes_read) * seconds
  return {
    rows_per_second: Math.round(rows / seconds),
    seconds_left: left === null ? null : Math.max(0, Math.round(left * 10) / 10),
  }
}

function noRows(count: number, { line, reason }: BadRow): Failure {
  const what = count === 1 ? 'Its only row' : `None of its ${count} rows`
  return new Failure(
    'INVALID_INPUT',
    `${what} could${count === 1 ? ' not' : ''} be read; line ${line}: ${reason}. Nothing was loaded. Are --type, --format and --timezone right?`,
  )
}
