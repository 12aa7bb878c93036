// Whether files are in their place, as long as is said of them. Most are told by listing the table's folders; a file may
// also lie anywhere else, or be known by another name of its folder: then it is asked for alone.
import type { LoadedTable } from '../catalog/catalog.ts'
import { storedFiles } from '../io/file-io.ts'
import { canonicalLocation } from '../io/location.ts'
import type { LakeTable } from '../table.ts'
import { asFailure, type Problem } from './problem.ts'

export interface ExpectedFile {
  path: string
  bytes: number
  /** Who says so. */
  saidBy: 'manifest' | 'list'
}

/** This many files are asked for at once. */
const AT_ONCE = 16

export async function checkPresence(
  { io }: LakeTable,
  { metadata }: LoadedTable,
  expected: Iterable<ExpectedFile>,
  signal?: AbortSignal,
): Promise<Problem[]> {
  const { 'write.data.path': data, 'write.metadata.path': ofMetadata } = metadata.properties
  const sizes = new Map<string, number>()
  await list(metadata.location)
  // Another engine may mean a place that cannot be listed here; its files are asked for one by one then.
  for (const folder of [data, ofMetadata]) if (folder) await list(folder).catch(asFailure)

  async function list(folder: string): Promise<void> {
    for await (const { location, bytes } of io.list(folder)) {
      signal?.throwIfAborted()
      sizes.set(canonicalLocation(location), bytes)
    }
  }

  async function check({ path, bytes: said, saidBy }: ExpectedFile): Promise<Problem[]> {
    try {
      const bytes = sizes.get(canonicalLocation(path)) ?? (await storedFiles(io).size(path, signal))
      return bytes === said ? [] : [of(path, `Has ${bytes} bytes, its ${saidBy} says ${said}.`)]
    } catch (error) {
      const { code, message } = asFailure(error)
      return [of(path, code === 'NOT_FOUND' ? 'The file is not there.' : message)]
    }
  }

  const files = [...expected]
  const problems: Problem[] = []
  for (let i = 0; i < files.length; i += AT_ONCE) {
    problems.push(...(await Promise.all(files.slice(i, i + AT_ONCE).map(check))).flat())
  }
  return problems
}

function of(file: string, problem: string): Problem {
  return { file, snapshot_id: null, problem }
}
