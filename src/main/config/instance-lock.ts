// One K2 per profile: a file with the process that holds it and the address it serves at.
import { Failure } from '../../contract/failure.ts'
import { readLockFile, takeLockFile } from '../base/lock-file.ts'
import type { ProcessNote } from '../base/running.ts'

export interface Instance extends ProcessNote {
  /** Absent until it serves. */
  url?: string
}

/** Takes the lock, also over from a process that is gone; CONFLICT while its holder runs. */
export function takeLock(path: string): Instance {
  return takeLockFile<Instance>(path, holder => conflict(path, holder))
}

/** Who holds the lock and runs; undefined when nobody does. */
export function readLock(path: string): Instance | undefined {
  return readLockFile(path)
}

function conflict(path: string, { pid, url }: Instance): Failure {
  const where = url ? `process ${pid}, at ${url}` : `process ${pid}`
  const wayOut = url ? `use it with --connect ${url}` : 'wait until it serves'
  return new Failure(
    'CONFLICT',
    `K2 already runs on this profile (${where}): ${wayOut}, stop it, or choose another with --profile. Lock: ${path}`,
    { details: { pid, url } },
  )
}
