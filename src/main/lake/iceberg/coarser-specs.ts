// Partition specs of a table that part its rows by one field less than its default one does.
import { specOf, type PartitionSpec, type TableMetadata } from './metadata.ts'

/** Every partition of theirs is a union of whole partitions of the default spec. */
export function coarserSpecs(metadata: TableMetadata): PartitionSpec[] {
  const target = specOf(metadata, metadata['default-spec-id'])!
  return metadata['partition-specs'].filter(spec => isPrefix(spec, target))
}

function isPrefix(spec: PartitionSpec, target: PartitionSpec): boolean {
  return (
    spec.fields.length === target.fields.length - 1 &&
    spec.fields.every((field, i) => {
      const same = target.fields[i]
      return field['source-id'] === same['source-id'] && field.transform === same.transform
    })
  )
}
