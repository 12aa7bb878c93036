// The commit loop: one compare-and-swap, tried again on what is current, until it landed or cannot land.
import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../../../contract/failure.ts'
import type { CommitOutcome, LoadedTable } from '../catalog/catalog.ts'
import { unmetRequirement } from '../iceberg/apply-updates.ts'
import { headOf, MAIN, snapshotOf, type Requirement, type TableMetadata, type Update } from '../iceberg/metadata.ts'
import { throwIfCancelled } from '../../base/cancelled.ts'
import type { LakeTable } from '../table.ts'
import { removeFiles } from './write-new.ts'

export interface Prepared {
  requirements: readonly Requirement[]
  updates: readonly Update[]
  /** Files that only this try needs: removed when it certainly did not land. */
  files: readonly string[]
}

interface OpenTry {
  state: 'unknown' | 'conflict'
  requirements: readonly Requirement[]
  files: readonly string[]
}

export interface Attempt {
  /** What to ask of the catalog, made for this state of the table; a Failure ends the loop. */
  prepare: (base: LoadedTable) => Promise<Prepared>
  /** Whether it is there already: a try of unknown outcome may have landed, also later than the answer came. */
  landed: (now: LoadedTable) => boolean
  signal?: AbortSignal
}

export interface Landed {
  table: LoadedTable
  attempts: number
}

/** Thrown when nobody can say whether the commit is in the table. Nothing that belongs to it may be removed. */
export class OutcomeUnknown extends Failure {
  constructor(table: string, cause: unknown) {
    super(
      'UNAVAILABLE',
      `It is not known whether the last commit to ${table} landed: the catalog could not be asked. ` +
        'Its files are kept. Try again: a file or a part of a log that is in the table is not written a second time.',
      { cause, details: { outcome: 'unknown' } },
    )
    this.name = 'OutcomeUnknown'
  }
}

const MOST_CONFLICTS = 100
const MOST_UNKNOWN = 8
const STEP_MS = 15
const LONGEST_WAIT_MS = 2_000

export async function commitUntilLanded(table: LakeTable, attempt: Attempt): Promise<Landed> {
  const { catalog, name } = table
  const about = `${name.namespace}.${name.name}`
  let conflicts = 0
  let unknowns = 0
  /**
   * Tries that may be in the table: nobody told how they ended, or they met a conflict, which can be one with
   * themselves when something on the way sent them twice.
   */
  let open: OpenTry[] = []
  let lastCause: unknown
  let uuid: string | undefined
  try {
    for (let attempts = 1; ; attempts++) {
      const base = await current(attempts)
      if (!base) continue
      // Before anything else: what came back as unknown, or as a conflict with itself, may be in the table's history.
      if (attempts > 1 && attempt.landed(base)) return { table: base, attempts: attempts - 1 }
      const overtaken = open.filter(tried => unmetRequirement(base.metadata, tried.requirements) !== undefined)
      if (overtaken.some(tried => tried.state === 'unknown' && !isToldSince(base.metadata, tried))) throw lastCause
      await forget(tried => overtaken.includes(tried))
      uuid ??= base.metadata['table-uuid']
      if (base.metadata['table-uuid'] !== uuid) throw anotherTable()
      if (conflicts >= MOST_CONFLICTS) throw contended()
      const tried = await tryOnce(base).catch(async (error: unknown) => {
        if (attempts === 1 && (await isOutdated(base, error))) return undefined
        throw error
      })
      if (!tried) continue
      const { prepared, outcome } = tried
      if (outcome.state === 'committed') {
        await forget(() => true)
        table.learn(outcome.table)
        return { table: outcome.table, attempts }
      }
      open.push({ ...prepared, state: outcome.state })
      if (outcome.state === 'unknown') unknowns++
      else conflicts++
      lastCause = outcome.state === 'unknown' ? outcome.cause : new Error(outcome.why)
      await pause(conflicts + unknowns)
    }
  } catch (error) {
    if (open.length > 0) throw new OutcomeUnknown(about, lastCause ?? error)
    throw error
  }

  /** What a try asked for is not so any more: it did not land, and cannot. */
  async function forget(isDead: (tried: OpenTry) => boolean): Promise<void> {
    const dead = open.filter(isDead)
    open = open.filter(tried => !dead.includes(tried))
    await removeFiles(
      table,
      dead.flatMap(({ files }) => files),
    )
  }

  /** What it throws certainly did not land. */
  async function tryOnce(base: LoadedTable): Promise<{ prepared: Prepared; outcome: CommitOutcome }> {
    const prepared = await attempt.prepare(base)
    try {
      return { prepared, outcome: await catalog.commit(name, base, prepared.requirements, prepared.updates) }
    } catch (error) {
      await removeFiles(table, prepared.files)
      throw error
    }
  }

  /** Whether it may have failed only because the table is not what it was when this process last looked. */
  async function isOutdated(base: LoadedTable, error: unknown): Promise<boolean> {
    if (!(error instanceof Failure) || error.code === 'CANCELLED') return false
    const now = await table.load().catch(() => base)
    return now.metadataLocation !== base.metadataLocation
  }

  /** Nothing when the catalog does not answer now; it is asked again, a bounded number of times. */
  async function current(attempts: number): Promise<LoadedTable | undefined> {
    throwIfCancelled(attempt.signal)
    if (attempts === 1) return table.known()
    try {
      return await table.load()
    } catch (error) {
      if (open.length === 0 || ++unknowns > MOST_UNKNOWN) throw error
      await pause(unknowns)
      return undefined
    }
  }

  /** What is to be committed was made for the one before: its place, its columns, its rows. */
  function anotherTable(): Failure {
    return new Failure(
      'CONFLICT',
      `${about} was dropped and made anew meanwhile. Nothing was committed to the new one; start again.`,
      { retryable: true },
    )
  }

  function contended(): Failure {
    return new Failure(
      'CONFLICT',
      `${about} was changed by others ${MOST_CONFLICTS} times in a row. Nothing was committed.`,
      { retryable: true, cause: lastCause },
    )
  }
}

/**
 * Whether the history of main still tells all that came after the snapshot that a try was made for. Where expiry has
 * taken some of it away, what is not found there may have landed all the same.
 */
function isToldSince(metadata: TableMetadata, { requirements }: OpenTry): boolean {
  const madeFor = requirements.find(one => one.type === 'assert-ref-snapshot-id')
  if (madeFor?.ref !== MAIN) return true
  let id = headOf(metadata)?.['snapshot-id']
  while (id !== undefined && id !== madeFor['snapshot-id']) {
    const snapshot = snapshotOf(metadata, id)
    if (!snapshot) return false
    id = snapshot['parent-snapshot-id']
  }
  return (id ?? null) === madeFor['snapshot-id']
}

/** Longer from try to try, and never the same for two writers. */
function pause(tries: number): Promise<void> {
  return sleep(Math.random() * Math.min(LONGEST_WAIT_MS, STEP_MS * 2 ** Math.min(tries, 8)))
}
