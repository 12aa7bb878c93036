// Which files to load: those named, and those in the folders named, in an order that is the same every time.
import { readdir, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '../../contract/failure.ts'

const ENDINGS = ['.csv', '.csv.gz', '.csv.zst', '.parquet', '.arrow']
/** What a load leaves beside a file is no file to load. */
export const DEAD_LETTER_ENDING = '.dead.csv'

/**
 * A file that is named is taken whatever it is called; in folders the names decide, and what is to be left out. None is
 * taken twice.
 */
export async function listFiles(
  paths: readonly string[],
  signal: AbortSignal,
  isLeftOut?: (file: string) => Promise<boolean>,
): Promise<string[]> {
  const files = new Map<string, string>()
  for (const path of paths) {
    signal.throwIfAborted()
    const found = (await isFolder(path)) ? await filesBelow(path, isLeftOut) : [path]
    if (found.length === 0) throw new Failure('NOT_FOUND', `${path} holds no files named ${ENDINGS.join(', ')}.`)
    for (const file of found) {
      const real = await realpath(file)
      if (!files.has(real)) files.set(real, file)
    }
  }
  return [...files.values()]
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new Failure('NOT_FOUND', `There is no file or folder ${path}.`, { cause })
  })
  if (found.isDirectory() || found.isFile()) return found.isDirectory()
  throw new Failure('INVALID_INPUT', `${path} is neither a file nor a folder; a load reads its file twice.`)
}

/** Folders reached by a link are not entered: they may lead back. */
async function filesBelow(folder: string, isLeftOut?: (file: string) => Promise<boolean>): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((cause: unknown) => {
    throw new Failure('FORBIDDEN', `${folder} cannot be listed: ${(cause as Error).message}.`, { cause })
  })
  const files = entries
    .filter(entry => entry.isFile() && isLoadable(entry.name))
    .map(entry => join(entry.parentPath, entry.name))
    .sort()
  if (!isLeftOut) return files
  const taken: string[] = []
  for (const file of files) if (!(await isLeftOut(file))) taken.push(file)
  return taken
}

function isLoadable(name: string): boolean {
  const lower = name.toLowerCase()
  return ENDINGS.some(ending => lower.endsWith(ending)) && !lower.endsWith(DEAD_LETTER_ENDING) && !name.startsWith('.')
}
