// A commit's updates applied to table metadata, as a REST catalog would, so that a SQL catalog's tables are the same.
import { Failure } from '../../../contract/failure.ts'
import {
  MAIN,
  headOf,
  type PartitionSpec,
  type Requirement,
  type Snapshot,
  type SnapshotRef,
  type SortOrder,
  type TableMetadata,
  type Update,
} from './metadata.ts'
import { asStruct, type Schema, type StructType } from './schema.ts'

const LAST_ADDED = -1
const PREVIOUS_VERSIONS = 'write.metadata.previous-versions-max'
const DEFAULT_PREVIOUS_VERSIONS = 100
/** Clocks may differ by this much before other engines refuse the table. */
const CLOCK_TOLERANCE_MS = 60_000

export interface CommitContext {
  nowMs: number
  /** Where the metadata that is replaced lies; it goes into the log of metadata files. */
  previousLocation?: string
}

/** The metadata being made, and what its updates have added so far. */
interface Draft {
  metadata: TableMetadata
  nowMs: number
  added: { schema?: number; spec?: number; order?: number; snapshots: Set<string> }
}

/** Leaves `metadata` as it is; what did not change is shared with it. */
export function applyUpdates(
  metadata: TableMetadata,
  updates: readonly Update[],
  { nowMs, previousLocation }: CommitContext,
): TableMetadata {
  if (metadata['format-version'] !== 2) {
    throw invalid(`K2 writes tables of format version 2 only, this one has ${metadata['format-version']}`)
  }
  const updatedMs = Math.max(nowMs, metadata['last-updated-ms'])
  const draft: Draft = { metadata: { ...metadata }, nowMs: updatedMs, added: { snapshots: new Set() } }
  for (const update of updates) apply(draft, update)
  const next = draft.metadata
  checkRefs(next)
  next['last-updated-ms'] = Math.max(updatedMs, next['last-updated-ms'])
  next['snapshot-log'] = withoutIntermediate(next, draft.added.snapshots)
  if (previousLocation !== undefined) {
    const replaced = { 'metadata-file': previousLocation, 'timestamp-ms': metadata['last-updated-ms'] }
    next['metadata-log'] = [...next['metadata-log'], replaced]
  }
  next['metadata-log'] = next['metadata-log'].slice(-previousVersions(next))
  return next
}

/** The first requirement that does not hold, in words; undefined when all do. */
export function unmetRequirement(
  metadata: TableMetadata | undefined,
  requirements: readonly Requirement[],
): string | undefined {
  if (!metadata) return 'the table does not exist any more'
  for (const requirement of requirements) {
    const why = unmet(metadata, requirement)
    if (why !== undefined) return why
  }
  return undefined
}

/** A time for the next snapshot that every engine accepts, whatever this machine's clock says. */
export function nextTimestampMs(metadata: TableMetadata, nowMs: number): number {
  const lastMs = Math.max(
    metadata['snapshot-log'].at(-1)?.['timestamp-ms'] ?? 0,
    headOf(metadata)?.['timestamp-ms'] ?? 0,
  )
  // One millisecond on, so that no two commits have the same time and "as of" has one answer.
  return Math.max(nowMs, metadata['last-updated-ms'], lastMs + 1)
}

function unmet(metadata: TableMetadata, requirement: Requirement): string | undefined {
  switch (requirement.type) {
    case 'assert-table-uuid': {
      const uuid = metadata['table-uuid']
      return uuid.toLowerCase() === requirement.uuid.toLowerCase()
        ? undefined
        : `the table is another one now: its uuid is ${uuid}, not ${requirement.uuid}`
    }
    case 'assert-ref-snapshot-id': {
      const { ref, 'snapshot-id': expected } = requirement
      const actual = ref === MAIN ? headOf(metadata)?.['snapshot-id'] : metadata.refs[ref]?.['snapshot-id']
      const words = (id: string | null | undefined) => (id == null ? 'without a snapshot' : `at snapshot ${id}`)
      return (actual ?? null) === expected ? undefined : `${ref} is ${words(actual)}, not ${words(expected)}`
    }
    default:
      return `K2 does not know the requirement ${String((requirement as { type: unknown }).type)}`
  }
}

function apply(draft: Draft, update: Update): void {
  const { metadata, added } = draft
  switch (update.action) {
    case 'add-schema':
      return addSchema(draft, update.schema, update['last-column-id'])
    case 'set-current-schema': {
      const id = resolved(update['schema-id'], added.schema, 'schema')
      known(metadata.schemas, schema => schema['schema-id'] === id, `schema ${id}`)
      metadata['current-schema-id'] = id
      return
    }
    case 'add-spec':
      return addSpec(draft, update.spec)
    case 'set-default-spec': {
      const id = resolved(update['spec-id'], added.spec, 'partition spec')
      known(metadata['partition-specs'], spec => spec['spec-id'] === id, `partition spec ${id}`)
      metadata['default-spec-id'] = id
      return
    }
    case 'add-sort-order':
      return addSortOrder(draft, update['sort-order'])
    case 'set-default-sort-order': {
      const id = resolved(update['sort-order-id'], added.order, 'sort order')
      known(metadata['sort-orders'], order => order['order-id'] === id, `sort order ${id}`)
      metadata['default-sort-order-id'] = id
      return
    }
    case 'add-snapshot':
      return addSnapshot(draft, update.snapshot)
    case 'set-snapshot-ref':
      return setRef(draft, update)
    case 'remove-snapshot-ref':
      return removeRef(draft, update['ref-name'])
    case 'remove-snapshots':
      return removeSnapshots(draft, update['snapshot-ids'])
    case 'set-properties':
      metadata.properties = { ...metadata.properties, ...update.updates }
      return
    case 'remove-properties': {
      const removed = new Set(update.removals)
      metadata.properties = Object.fromEntries(Object.entries(metadata.properties).filter(([key]) => !removed.has(key)))
      return
    }
    default:
      throw invalid(`K2 does not know the update ${String((update as { action: unknown }).action)}`)
  }
}

/** The same schema again keeps its id; a taken id is replaced by the next free one. */
function addSchema({ metadata, added }: Draft, schema: Schema, lastColumnId = 0): void {
  const content = (of: Schema) => JSON.stringify([of.fields, of['identifier-field-ids'] ?? []])
  const same = metadata.schemas.find(other => content(other) === content(schema))
  metadata['last-column-id'] = Math.max(metadata['last-column-id'], lastColumnId, highestFieldId(schema))
  added.schema =
    same?.['schema-id'] ??
    freeId(
      schema['schema-id'],
      metadata.schemas.map(other => other['schema-id']),
    )
  if (!same) metadata.schemas = [...metadata.schemas, { ...schema, 'schema-id': added.schema }]
}

function addSpec({ metadata, added }: Draft, spec: PartitionSpec): void {
  let last = metadata['last-partition-id']
  const fields = spec.fields.map(field => ({
    ...field,
    'field-id': (field['field-id'] as number | undefined) ?? ++last,
  }))
  const content = (of: PartitionSpec['fields']) =>
    JSON.stringify(of.map(field => [field['source-id'], field['field-id'], field.name, field.transform]))
  const specs = metadata['partition-specs']
  const same = specs.find(other => content(other.fields) === content(fields))
  metadata['last-partition-id'] = Math.max(last, ...fields.map(field => field['field-id']))
  added.spec =
    same?.['spec-id'] ??
    freeId(
      spec['spec-id'],
      specs.map(other => other['spec-id']),
    )
  if (!same) metadata['partition-specs'] = [...specs, { 'spec-id': added.spec, fields }]
}

function addSortOrder({ metadata, added }: Draft, order: SortOrder): void {
  const content = (of: SortOrder) =>
    JSON.stringify(of.fields.map(field => [field.transform, field['source-id'], field.direction, field['null-order']]))
  const orders = metadata['sort-orders']
  const same = orders.find(other => content(other) === content(order))
  // 0 is kept for «unsorted».
  const wanted = order.fields.length === 0 ? 0 : Math.max(1, order['order-id'])
  added.order =
    same?.['order-id'] ??
    freeId(
      wanted,
      orders.map(other => other['order-id']),
    )
  if (!same) metadata['sort-orders'] = [...orders, { ...order, 'order-id': added.order }]
}

function addSnapshot({ metadata, added }: Draft, snapshot: Snapshot): void {
  const { 'snapshot-id': id, 'sequence-number': sequenceNumber, 'timestamp-ms': timestampMs } = snapshot
  if (metadata.snapshots.some(other => other['snapshot-id'] === id)) throw invalid(`snapshot ${id} exists already`)
  const last = metadata['last-sequence-number']
  if (sequenceNumber <= last)
    throw conflict(`snapshot ${id} has sequence number ${sequenceNumber}, the table is at ${last}`)
  const earliestMs = (metadata['snapshot-log'].at(-1)?.['timestamp-ms'] ?? 0) - CLOCK_TOLERANCE_MS
  if (timestampMs < earliestMs) {
    throw invalid(`snapshot ${id} is more than a minute older than the last one: is a clock wrong?`)
  }
  metadata.snapshots = [...metadata.snapshots, snapshot]
  metadata['last-sequence-number'] = sequenceNumber
  metadata['last-updated-ms'] = Math.max(metadata['last-updated-ms'], timestampMs)
  added.snapshots.add(id)
}

function setRef(draft: Draft, update: { 'ref-name': string } & SnapshotRef): void {
  const { metadata } = draft
  const { 'ref-name': name, 'snapshot-id': id } = update
  const snapshot = metadata.snapshots.find(other => other['snapshot-id'] === id)
  if (!snapshot) throw invalid(`${name} cannot be set to snapshot ${id}: the table has none of that id`)
  if (name === MAIN && update.type !== 'branch') throw invalid(`${MAIN} is a branch and cannot become a ${update.type}`)
  const moves = metadata.refs[name]?.['snapshot-id'] !== id
  metadata.refs = { ...metadata.refs, [name]: refOf(update) }
  if (name !== MAIN || !moves) return
  metadata['current-snapshot-id'] = id
  const log = metadata['snapshot-log']
  // A snapshot of this commit became current at its own time, one that main goes back to becomes so now.
  const atMs = draft.added.snapshots.has(id)
    ? snapshot['timestamp-ms']
    : Math.max(draft.nowMs, (log.at(-1)?.['timestamp-ms'] ?? 0) + 1)
  metadata['last-updated-ms'] = Math.max(metadata['last-updated-ms'], atMs)
  metadata['snapshot-log'] = [...log, { 'snapshot-id': id, 'timestamp-ms': atMs }]
}

function refOf({ 'snapshot-id': id, type, ...rest }: SnapshotRef): SnapshotRef {
  const ref: SnapshotRef = { 'snapshot-id': id, type }
  for (const key of ['min-snapshots-to-keep', 'max-snapshot-age-ms', 'max-ref-age-ms'] as const) {
    if (rest[key] !== undefined) ref[key] = rest[key]
  }
  return ref
}

function removeRef({ metadata }: Draft, name: string): void {
  metadata.refs = Object.fromEntries(Object.entries(metadata.refs).filter(([other]) => other !== name))
  if (name !== MAIN) return
  metadata['current-snapshot-id'] = null
  metadata['snapshot-log'] = []
}

/** Files that describe removed snapshots only, by other engines. */
const STATISTICS = ['statistics', 'partition-statistics'] as const

function removeSnapshots({ metadata }: Draft, ids: readonly string[]): void {
  const removed = new Set(ids)
  metadata.snapshots = metadata.snapshots.filter(snapshot => !removed.has(snapshot['snapshot-id']))
  const log = metadata['snapshot-log']
  // As the specification has it: with a hole, the log would say that what came before it was current for longer.
  const lastGap = log.findLastIndex(entry => removed.has(entry['snapshot-id']))
  if (lastGap >= 0) metadata['snapshot-log'] = log.slice(lastGap + 1)
  const others = metadata as unknown as Record<string, { 'snapshot-id': string }[] | undefined>
  for (const key of STATISTICS) {
    if (Array.isArray(others[key])) others[key] = others[key].filter(file => !removed.has(file['snapshot-id']))
  }
}

/** Snapshots that came and were followed by another in the same commit were never current for anyone. */
function withoutIntermediate(metadata: TableMetadata, added: ReadonlySet<string>): TableMetadata['snapshot-log'] {
  const current = metadata['current-snapshot-id']
  const log = metadata['snapshot-log']
  const isIntermediate = (id: string) => added.has(id) && id !== current
  return log.some(entry => isIntermediate(entry['snapshot-id']))
    ? log.filter(entry => !isIntermediate(entry['snapshot-id']))
    : log
}

function checkRefs(metadata: TableMetadata): void {
  const ids = new Set(metadata.snapshots.map(snapshot => snapshot['snapshot-id']))
  for (const [name, ref] of Object.entries(metadata.refs)) {
    const id = ref['snapshot-id']
    if (!ids.has(id)) throw invalid(`snapshot ${id} cannot be removed while ${ref.type} ${name} is at it`)
  }
}

function previousVersions(metadata: TableMetadata): number {
  const limit = Number(metadata.properties[PREVIOUS_VERSIONS] ?? DEFAULT_PREVIOUS_VERSIONS)
  return Number.isInteger(limit) ? Math.max(1, limit) : DEFAULT_PREVIOUS_VERSIONS
}

function resolved(id: number, lastAdded: number | undefined, what: string): number {
  if (id !== LAST_ADDED) return id
  if (lastAdded === undefined) throw invalid(`the last added ${what} is asked for and none was added`)
  return lastAdded
}

function known<T>(all: readonly T[], is: (item: T) => boolean, what: string): void {
  if (!all.some(is)) throw invalid(`the table has no ${what}`)
}

function freeId(wanted: number, taken: readonly number[]): number {
  return wanted >= 0 && !taken.includes(wanted) ? wanted : Math.max(-1, ...taken) + 1
}

function highestFieldId(struct: StructType): number {
  return Math.max(
    0,
    ...struct.fields.map(({ id, type }) =>
      typeof type === 'string' ? id : Math.max(id, highestFieldId(asStruct(type))),
    ),
  )
}

function invalid(why: string): Failure {
  return new Failure('INVALID_INPUT', `The commit was refused: ${why}. The table is as it was.`)
}

function conflict(why: string): Failure {
  return new Failure('CONFLICT', `The commit was refused: ${why}. The table is as it was.`)
}
