// What SQLite or the system says about the catalog's file, in words for a user.
import { Failure } from '../../../contract/failure.ts'

/** SQLite's name for it, or the number in a text where libsql gives no more. */
function codeOf(error: unknown): string {
  const { code, message } = error as { code?: unknown; message?: unknown }
  return typeof code === 'string' && code !== '' ? code : (/\b(\d+)\W*$/.exec(String(message))?.[1] ?? '')
}

export function isBusy(error: unknown): boolean {
  return /^SQLITE_(BUSY|LOCKED)/.test(codeOf(error))
}

/** What SQLite says, in words about the file; whatever is no failure of SQLite's is left as it is. */
export function sqlFailure(file: string, error: unknown): unknown {
  if (error instanceof Failure) return error
  const code = codeOf(error)
  const found = PROBLEMS.find(([pattern]) => pattern.test(code))
  if (!found) return error
  const [, failure, words] = found
  return new Failure(failure, `The SQL catalog ${file} ${words}`, { cause: error })
}

export function damaged(file: string, cause: unknown): Failure {
  return new Failure('CORRUPT', `The SQL catalog ${file} ${DAMAGED}`, { cause })
}

const DAMAGED = 'is damaged. The tables themselves are in the warehouse; restore the file from a copy.'

const PROBLEMS: readonly (readonly [RegExp, Failure['code'], string])[] = [
  [
    /^SQLITE_(BUSY|LOCKED)/,
    'UNAVAILABLE',
    'is locked by another program. Nothing was changed; end that program or try again.',
  ],
  [/^SQLITE_NOTADB/, 'CORRUPT', 'is not a SQLite file. Nothing was changed; name another file, or move this one away.'],
  [/^SQLITE_CORRUPT/, 'CORRUPT', DAMAGED],
  [
    /^SQLITE_(READONLY|PERM|AUTH)/,
    'FORBIDDEN',
    'cannot be written. Give this user the right to write it and its folder.',
  ],
  [
    /^(SQLITE_CANTOPEN|14$)/,
    'FORBIDDEN',
    'cannot be opened. See that its folder exists and that this user may write there.',
  ],
  [
    /^(SQLITE_FULL|ENOSPC)/,
    'UNAVAILABLE',
    'has no room left on its disk. Nothing was changed; make room and try again.',
  ],
  [/^(EACCES|EPERM|EROFS)/, 'FORBIDDEN', 'cannot be made here. Choose a folder that this user may write.'],
  [/^(ENOTDIR|EEXIST)/, 'INVALID_INPUT', 'cannot be made here: a part of its path is a file.'],
  [
    /^SQLITE_IOERR/,
    'UNAVAILABLE',
    'could not be read or written by the system. See whether its disk is well, then try again.',
  ],
  [/^SQLITE_/, 'CORRUPT', 'is not a SQL catalog as Iceberg has them, or it is damaged. Restore it from a copy.'],
]
