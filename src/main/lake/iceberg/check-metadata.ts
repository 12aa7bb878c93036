// What must hold of table metadata before anything here relies on it, and what may be absent filled in.
import { Failure } from '../../../contract/failure.ts'
import { MAIN, type PartitionField, type PartitionSpec, type Snapshot, type TableMetadata } from './metadata.ts'
import type { Schema } from './schema.ts'

type Json = Record<string, unknown>

/** Throws a plain error that says what is wrong, or INVALID_INPUT for what is right but not read here. */
export function checkedMetadata(json: unknown, location: string): TableMetadata {
  if (!isObject(json)) throw new RangeError('it is not a JSON object')
  const version = numberAt(json, 'format-version')
  if (version > 2) {
    throw new Failure(
      'INVALID_INPUT',
      `The table of ${location} has format version ${version}, which K2 does not read yet: it reads versions 1 and 2.`,
    )
  }
  if (version !== 1 && version !== 2) throw new RangeError(`format version ${version} does not exist`)
  const metadata = { ...json, ...(version === 1 ? fromVersion1(json) : {}) } as unknown as TableMetadata & Json
  textAt(metadata, 'location')
  textAt(metadata, 'table-uuid')
  metadata['last-sequence-number'] = optionalNumber(metadata, 'last-sequence-number') ?? 0
  numberAt(metadata, 'last-updated-ms')
  numberAt(metadata, 'last-column-id')
  checkSchemas(metadata)
  checkSpecs(metadata)
  checkSortOrders(metadata)
  metadata.properties = metadata.properties === undefined ? {} : (objectAt(metadata, 'properties') as never)
  metadata.snapshots = listAt(metadata, 'snapshots').map(snapshot => checkedSnapshot(snapshot, version))
  metadata['snapshot-log'] = listAt(metadata, 'snapshot-log') as never
  metadata['metadata-log'] = listAt(metadata, 'metadata-log') as never
  for (const entry of metadata['snapshot-log'] as unknown as Json[]) textAt(entry, 'snapshot-id')
  for (const entry of metadata['metadata-log'] as unknown as Json[]) textAt(entry, 'metadata-file')
  metadata.refs = checkedRefs(metadata)
  return metadata
}

/** What version 1 says in other words or leaves out. */
function fromVersion1(json: Json): Json {
  const schema = json.schema as Json | undefined
  const fields = (json['partition-spec'] ?? []) as PartitionField[]
  const specs = (json['partition-specs'] as PartitionSpec[] | undefined) ?? [{ 'spec-id': 0, fields }]
  const numbered = specs.map(spec => ({
    ...spec,
    fields: spec.fields.map((field, i) => ({
      ...field,
      'field-id': (field['field-id'] as number | undefined) ?? 1000 + i,
    })),
  }))
  const highest = Math.max(999, ...numbered.flatMap(spec => spec.fields.map(field => field['field-id'])))
  return {
    'table-uuid': json['table-uuid'] ?? '00000000-0000-0000-0000-000000000000',
    schemas: json.schemas ?? [{ 'schema-id': 0, ...schema }],
    'current-schema-id': json['current-schema-id'] ?? schema?.['schema-id'] ?? 0,
    'partition-specs': numbered,
    'default-spec-id': json['default-spec-id'] ?? 0,
    'last-partition-id': json['last-partition-id'] ?? highest,
    'sort-orders': json['sort-orders'] ?? [{ 'order-id': 0, fields: [] }],
    'default-sort-order-id': json['default-sort-order-id'] ?? 0,
  }
}

function checkSchemas(metadata: TableMetadata & Json): void {
  for (const schema of listAt(metadata, 'schemas')) {
    numberAt(schema, 'schema-id')
    checkFields(schema, 0)
  }
  const current = numberAt(metadata, 'current-schema-id')
  if (!metadata.schemas.some((schema: Schema) => schema['schema-id'] === current)) {
    throw new RangeError(`its current schema ${current} is not among its schemas`)
  }
}

function checkFields(struct: Json, depth: number): void {
  if (depth > 64) throw new RangeError('its schema is nested more than 64 deep')
  for (const field of presentListAt(struct, 'fields')) {
    numberAt(field, 'id')
    textAt(field, 'name')
    checkType(field.type, depth)
  }
}

function checkType(type: unknown, depth: number): void {
  if (typeof type === 'string') return
  if (!isObject(type)) throw new RangeError('a field of its schema has no type')
  if (depth > 64) throw new RangeError('its schema is nested more than 64 deep')
  if (type.type === 'struct') {
    checkFields(type, depth + 1)
  } else if (type.type === 'list') {
    numberAt(type, 'element-id')
    checkType(type.element, depth + 1)
  } else if (type.type === 'map') {
    numberAt(type, 'key-id')
    numberAt(type, 'value-id')
    checkType(type.key, depth + 1)
    checkType(type.value, depth + 1)
  } else {
    throw new RangeError(`a field of its schema has the unknown type ${String(type.type)}`)
  }
}

function checkSpecs(metadata: TableMetadata & Json): void {
  for (const spec of listAt(metadata, 'partition-specs')) {
    numberAt(spec, 'spec-id')
    for (const field of presentListAt(spec, 'fields')) {
      // Version 3 tables may list several sources; a version 2 field has one.
      numberAt(field, 'source-id')
      numberAt(field, 'field-id')
      textAt(field, 'name')
      textAt(field, 'transform')
    }
  }
  const current = numberAt(metadata, 'default-spec-id')
  if (!metadata['partition-specs'].some(spec => spec['spec-id'] === current)) {
    throw new RangeError(`its default partition spec ${current} is not among its specs`)
  }
  numberAt(metadata, 'last-partition-id')
}

function checkSortOrders(metadata: TableMetadata & Json): void {
  for (const order of listAt(metadata, 'sort-orders')) {
    numberAt(order, 'order-id')
    presentListAt(order, 'fields')
  }
  numberAt(metadata, 'default-sort-order-id')
}

function checkedSnapshot(json: Json, version: number): Snapshot {
  const id = textAt(json, 'snapshot-id')
  if (json['manifest-list'] === undefined && version === 1) {
    throw new Failure(
      'INVALID_INPUT',
      `Snapshot ${id} names its manifests itself, as early version 1 writers did, which K2 does not read: ` +
        'upgrade the table to version 2 with the engine that wrote it.',
    )
  }
  textAt(json, 'manifest-list')
  numberAt(json, 'timestamp-ms')
  const { 'parent-snapshot-id': parent, ...rest } = json
  const filled = {
    ...rest,
    ...(parent != null && { 'parent-snapshot-id': textAt(json, 'parent-snapshot-id') }),
    'sequence-number': optionalNumber(json, 'sequence-number') ?? 0,
    // Without a summary nothing is claimed about what the snapshot did.
    summary: json.summary === undefined ? { operation: 'overwrite' } : objectAt(json, 'summary'),
  }
  return filled as unknown as Snapshot
}

function checkedRefs(metadata: TableMetadata & Json): TableMetadata['refs'] {
  const refs: TableMetadata['refs'] =
    metadata.refs === undefined ? {} : { ...(objectAt(metadata, 'refs') as TableMetadata['refs']) }
  const current = metadata['current-snapshot-id'] as unknown
  if (current != null && typeof current !== 'string') throw new RangeError('current-snapshot-id is not a number')
  if (current != null && current !== '-1') refs[MAIN] ??= { 'snapshot-id': current, type: 'branch' }
  const known = new Set(metadata.snapshots.map(snapshot => snapshot['snapshot-id']))
  for (const [name, ref] of Object.entries(refs)) {
    if (!isObject(ref) || !known.has(ref['snapshot-id'])) throw new RangeError(`ref ${name} names no snapshot it has`)
  }
  if (current != null && current !== '-1' && refs[MAIN]['snapshot-id'] !== current) {
    throw new RangeError(`its branch main is at ${refs[MAIN]['snapshot-id']}, its current snapshot is ${current}`)
  }
  return refs
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function objectAt(json: Json, key: string): Json {
  const value = json[key]
  if (!isObject(value)) throw new RangeError(`${key} is not an object`)
  return value
}

/** Absent and null are no entries. */
function listAt(json: Json, key: string): Json[] {
  const value = json[key] ?? []
  if (!Array.isArray(value) || !value.every(isObject)) throw new RangeError(`${key} is not a list of objects`)
  return value
}

function presentListAt(json: Json, key: string): Json[] {
  if (json[key] == null) throw new RangeError(`${key} is missing`)
  return listAt(json, key)
}

function textAt(json: Json, key: string): string {
  const value = json[key]
  if (typeof value !== 'string') throw new RangeError(`${key} is ${value === undefined ? 'missing' : 'not a text'}`)
  return value
}

function numberAt(json: Json, key: string): number {
  const value = json[key]
  if (typeof value !== 'number') throw new RangeError(`${key} is ${value === undefined ? 'missing' : 'not a number'}`)
  return value
}

function optionalNumber(json: Json, key: string): number | undefined {
  return json[key] == null ? undefined : numberAt(json, key)
}
