// What a REST catalog is told to create a table: staged first, for the place and the identity that it decides, then
// committed whole in one step, with all partition specs. Column ids are ours in that commit, where a plain creation
// would number them anew.
import type { TableMetadata, Update } from '../iceberg/metadata.ts'

/** In a commit that creates a table, beside what any commit may do. */
type Creation =
  | Update
  | { action: 'assign-uuid'; uuid: string }
  | { action: 'upgrade-format-version'; 'format-version': number }
  | { action: 'set-location'; location: string }

/** The first partition spec only, as such a request has room for one. */
export function requestedTable(name: string, metadata: TableMetadata) {
  return {
    name,
    schema: metadata.schemas[0],
    'partition-spec': metadata['partition-specs'][0],
    'write-order': metadata['sort-orders'][0],
    properties: { ...metadata.properties, 'format-version': String(metadata['format-version']) },
    'stage-create': true,
  }
}

export function creationOf(metadata: TableMetadata, staged: TableMetadata): Creation[] {
  return [
    { action: 'assign-uuid', uuid: staged['table-uuid'] },
    { action: 'upgrade-format-version', 'format-version': metadata['format-version'] },
    ...metadata.schemas.map(schema => ({
      action: 'add-schema' as const,
      schema,
      'last-column-id': metadata['last-column-id'],
    })),
    { action: 'set-current-schema', 'schema-id': metadata['current-schema-id'] },
    ...metadata['partition-specs'].map(spec => ({ action: 'add-spec' as const, spec })),
    { action: 'set-default-spec', 'spec-id': metadata['default-spec-id'] },
    ...metadata['sort-orders'].map(order => ({ action: 'add-sort-order' as const, 'sort-order': order })),
    { action: 'set-default-sort-order', 'sort-order-id': metadata['default-sort-order-id'] },
    { action: 'set-location', location: staged.location },
    { action: 'set-properties', updates: { ...staged.properties, ...metadata.properties } },
  ]
}
