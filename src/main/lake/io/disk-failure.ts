// What the operating system says of a file, as a Failure that names the file and what to do.
import { Failure, type FailureCode } from '../../../contract/failure.ts'

const meanings: Record<string, readonly [FailureCode, string, string]> = {
  ENOENT: ['NOT_FOUND', 'is not there', 'If it was there before, look whether its folder was moved or is not mounted.'],
  ENOTDIR: ['INVALID_INPUT', 'lies below a file', 'Choose a folder that is one.'],
  EISDIR: ['INVALID_INPUT', 'is a folder', 'Choose a file.'],
  ENAMETOOLONG: ['INVALID_INPUT', 'has too long a name for this disk', 'Choose a shorter folder.'],
  ENOSPC: ['UNAVAILABLE', 'finds no room: the disk is full', 'Free space on it and try again.'],
  EDQUOT: [
    'UNAVAILABLE',
    "finds no room: this user's quota is used up",
    'Free space or raise the quota and try again.',
  ],
  EFBIG: ['UNAVAILABLE', 'is larger than the disk or `ulimit -f` allows', 'Raise the limit and try again.'],
  EACCES: ['FORBIDDEN', 'is not open to this user', 'Give the user that runs K2 the right to its folder.'],
  EPERM: ['FORBIDDEN', 'is not open to this user', 'Give the user that runs K2 the right to its folder.'],
  EROFS: [
    'FORBIDDEN',
    'is on a disk that is mounted for reading only',
    'Mount it for writing, or choose another folder.',
  ],
  EMFILE: ['UNAVAILABLE', 'cannot be opened: K2 has too many files open', 'Raise `ulimit -n` and try again.'],
  ENFILE: ['UNAVAILABLE', 'cannot be opened: the machine has too many files open', 'Close programs and try again.'],
  EIO: ['UNAVAILABLE', 'cannot be read or written: the disk reports an error', 'Look after the disk, then try again.'],
  ESTALE: ['UNAVAILABLE', 'was lost by the network share', 'Mount the share again and try again.'],
}

/** `left` says what state the operation left. What is no error of a file is given back as it is. */
export function diskFailure(error: unknown, location: string, left: string): unknown {
  const code = (error as NodeJS.ErrnoException).code
  if (error instanceof Failure || typeof code !== 'string') return error
  const [failure, what, advice] = meanings[code] ?? [
    'UNAVAILABLE',
    `gave ${code}`,
    'Look after its disk and try again.',
  ]
  return new Failure(failure, [`${location} ${what} (${code}).`, left, advice].filter(Boolean).join(' '), {
    details: { location, errno: code },
    cause: error,
  })
}

export function alreadyThere(location: string): Failure {
  return new Failure('CONFLICT', `${location} exists and stays as it is. Files of a table are never written twice.`, {
    details: { location },
  })
}

export function endsBefore(location: string, bytes: number, needed: number): Failure {
  return new Failure(
    'CORRUPT',
    `${location} has ${bytes} bytes, but ${needed} are needed: it was cut off or is another file. Nothing was changed.`,
    { details: { location, bytes, needed } },
  )
}
