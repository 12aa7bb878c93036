// The commit loop: one compare-and-swap, tried again on what is current, until it landed or cannot land.
import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../../../contract/failure.ts'
import type { LoadedTable } from '../catalog/catalog.ts'
import type { Requirement, Update } from '../iceberg/metadata.ts'
import type { LakeTable } from '../table.ts'

export interface Prepared {
  requirements: readonly Requirement[]
  updates: readonly Update[]
  /** Files that only this try needs: removed when it certainly did not land. */
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
        'Its files are kept; the next commit looks it up first.',
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
  let cause: unknown
  for (let attempts = 1; ; attempts++) {
    const base = await current(attempts)
    if (!base) continue
    // Before anything else: what came back as unknown, or as a conflict with itself, may be in the table's history.
    if (attempts > 1 && attempt.landed(base)) return { table: base, attempts: attempts - 1 }
    const prepared = await attempt.prepare(base)
    const outcome = await catalog.commit(name, base, prepared.requirements, prepared.updates)
    if (outcome.state === 'committed') {
      table.learn(outcome.table)
      return { table: outcome.table, attempts }
    }
    if (outcome.state === 'conflict') {
      await removeFiles(table, prepared.files)
      cause = new Error(outcome.why)
      if (++conflicts >= MOST_CONFLICTS) throw contended(outcome.why)
    } else {
      cause = outcome.cause
      unknowns++
    }
    await pause(conflicts + unknowns)
  }

  /** Nothing when the catalog does not answer now; it is asked again, a bounded number of times. */
  async function current(attempts: number): Promise<LoadedTable | undefined> {
    attempt.signal?.throwIfAborted()
    if (attempts === 1) return table.known()
    try {
      return await table.load()
    } catch (error) {
      if (unknowns === 0) throw error
      if (++unknowns > MOST_UNKNOWN) throw new OutcomeUnknown(about, cause ?? error)
      await pause(unknowns)
      return undefined
    }
  }

  function contended(why: string): Failure {
    return new Failure(
      'CONFLICT',
      `${about} was changed by others ${MOST_CONFLICTS} times in a row: ${why}. Nothing was committed.`,
      {
        retryable: true,
      },
    )
  }
}

/** Longer from try to try, and never the same for two writers. */
function pause(tries: number): Promise<void> {
  return sleep(Math.random() * Math.min(LONGEST_WAIT_MS, STEP_MS * 2 ** Math.min(tries, 8)))
}

/** What cannot be removed now is an orphan, and taken by orphan removal later. */
export async function removeFiles(table: Pick<LakeTable, 'io'>, locations: readonly string[]): Promise<void> {
  await Promise.allSettled(locations.map(location => table.io.remove(location)))
}
