// Names of files that are not finished yet. Nothing refers to a draft, so a stray one may go once it is old.
import { randomUUID } from 'node:crypto'
import { dirname, join } from 'node:path'

const PREFIX = '.draft-'

/** In the folder of the file it will become, so that finishing it is a link and never a copy. */
export function draftBeside(path: string): string {
  return join(dirname(path), PREFIX + randomUUID())
}

export function isDraft(location: string): boolean {
  return location.slice(Math.max(location.lastIndexOf('/'), location.lastIndexOf('\\')) + 1).startsWith(PREFIX)
}
