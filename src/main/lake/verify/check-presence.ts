// Whether files are in their place, as long as is said of them.
import type { LoadedTable } from '../catalog/catalog.ts'
import { canonicalLocation } from '../io/location.ts'
import type { LakeTable } from '../table.ts'
import type { Problem } from './problem.ts'

export interface ExpectedFile {
  path: string
  bytes: number
  /** Who says so. */
  saidBy: 'manifest' | 'list'
}

export async function checkPresence(
  table: LakeTable,
  loaded: LoadedTable,
  files: Iterable<ExpectedFile>,
  signal?: AbortSignal,
): Promise<Problem[]> {
  const sizes = await listedSizes(table, loaded, signal)
  const problems: Problem[] = []
  for (const file of files) problems.push(...judge(file, sizes.get(canonicalLocation(file.path))))
  return problems
}

async function listedSizes(
  table: LakeTable,
  { metadata }: LoadedTable,
  signal?: AbortSignal,
): Promise<Map<string, number>> {
  const sizes = new Map<string, number>()
  for await (const { location, bytes } of table.io.list(metadata.location)) {
    signal?.throwIfAborted()
    sizes.set(canonicalLocation(location), bytes)
  }
  return sizes
}

function judge({ path, bytes: said, saidBy }: ExpectedFile, bytes: number | undefined): Problem[] {
  if (bytes === said) return []
  const problem = bytes === undefined ? 'The file is not there.' : `Has ${bytes} bytes, its ${saidBy} says ${said}.`
  return [{ file: path, snapshot_id: null, problem }]
}
