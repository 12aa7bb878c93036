// Which manifests and files cannot hold a row that passes a filter: by partition summaries, partition values, bounds
// and counts. Rule: only what certainly holds no passing row is pruned; what is not known or not understood is read.
import type { ManifestFile } from '../iceberg/data-file.ts'
import type { PartitionField, PartitionSpec } from '../iceberg/metadata.ts'
import type { Value } from '../iceberg/schema.ts'
import { transformOf } from '../iceberg/transform.ts'
import type { BoundCondition, ValueRange } from './bind-filter.ts'
import type { Kind } from './coordinates.ts'
import { keep, kept, narrow, rangeTest, summaryExtent, type Extents, type Test } from './extent.ts'
import { columnExtentOf, partitionExtentOf, type FileIndex } from './file-index.ts'

interface PartitionTest {
  position: number
  kind: Kind
  test: Test
}

interface ColumnTest {
  fieldId: number
  /** Undefined when the test is for nulls. */
  kind: Kind | undefined
  test: Test
}

/** A filter as tests on the files of one partition spec; made once per spec and scan. */
export interface Pruner {
  partitions: readonly PartitionTest[]
  columns: readonly ColumnTest[]
}

export function prunerFor(conditions: readonly BoundCondition[], spec: PartitionSpec): Pruner {
  return {
    partitions: conditions.flatMap(condition =>
      spec.fields.flatMap((field, position) => {
        if (field['source-id'] !== condition.field.id) return []
        const found = partitionTest(condition, field)
        return found ? [{ position, ...found }] : []
      }),
    ),
    columns: conditions.flatMap(({ field: { id: fieldId }, kind, condition: { op }, ranges }): ColumnTest[] => {
      if (!kind) return []
      const whether = nullTest(op)
      return [whether ? { fieldId, kind: undefined, test: whether } : { fieldId, kind, test: rangeTest(ranges, kind) }]
    }),
  }
}

function nullTest(op: string): Test | undefined {
  return op === 'is null' ? { op: 'null' } : op === 'is not null' ? { op: 'value' } : undefined
}

/** The condition on a column as one on its partition value; undefined where the transform does not let it through. */
function partitionTest(
  { type, kind, condition: { op }, ranges }: BoundCondition,
  { transform }: PartitionField,
): { kind: Kind; test: Test } | undefined {
  const { kind: how, apply } = transformOf(transform)
  if (how === 'unknown' || how === 'void' || !kind) return undefined
  const result: Kind = how === 'identity' || how === 'truncate' ? kind : 'int'
  const whether = nullTest(op)
  if (whether) return { kind: result, test: whether }
  if (how === 'bucket' && !ranges.every(({ from, to }) => from !== undefined && from === to)) return undefined
  const isTime = how === 'year' || how === 'month' || how === 'day' || how === 'hour'
  const move = (value: Value | undefined) => (value === undefined ? undefined : (apply(type, value) ?? undefined))
  const moved = ranges.map(({ from, to }): ValueRange => {
    const last = move(to)
    // Writers before Iceberg 0.12 put times before 1970 into the next day or hour.
    return { from: move(from), to: isTime && typeof last === 'number' && last < 0 ? last + 1 : last }
  })
  return { kind: result, test: rangeTest(moved, result) }
}

interface ManifestGroup {
  specId: number
  manifests: ManifestFile[]
  summaries: Extents
}

/** Manifests of a list by spec. Lists are held by the cache and never change, so this is done once for each. */
const groupsOfList = new WeakMap<readonly ManifestFile[], readonly ManifestGroup[]>()

function groupsOf(list: readonly ManifestFile[]): readonly ManifestGroup[] {
  let groups = groupsOfList.get(list)
  if (!groups) {
    const bySpec = new Map<number, ManifestGroup>()
    for (const manifest of list) {
      const { specId } = manifest
      const group = bySpec.get(specId)
      if (group) group.manifests.push(manifest)
      else bySpec.set(specId, { specId, manifests: [manifest], summaries: new Map() })
    }
    groupsOfList.set(list, (groups = [...bySpec.values()]))
  }
  return groups
}

/** The manifests that may hold files with passing rows, or deletes from such files. */
export function passingManifests(list: readonly ManifestFile[], prunerOf: (specId: number) => Pruner): ManifestFile[] {
  return groupsOf(list).flatMap(({ specId, manifests, summaries }) => {
    const passing = new Uint8Array(manifests.length).fill(1)
    for (const { position, kind, test } of prunerOf(specId).partitions) {
      const extent =
        kept(summaries, position, kind) ?? keep(summaries, position, kind, summaryExtent(manifests, position, kind))
      narrow(passing, extent, test)
    }
    return manifests.filter((_, i) => passing[i] === 1)
  })
}

/** 1 for every file of a manifest that may hold a passing row, partitions first. */
export function passingFiles(index: FileIndex, pruner: Pruner): Uint8Array {
  const passing = new Uint8Array(index.files.length).fill(1)
  for (const { position, kind, test } of pruner.partitions)
    narrow(passing, partitionExtentOf(index, position, kind), test)
  for (const { fieldId, kind, test } of pruner.columns) {
    if (!passing.includes(1)) break
    narrow(passing, columnExtentOf(index, fieldId, kind), test)
  }
  return passing
}
