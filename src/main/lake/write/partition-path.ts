// Where the files of a partition lie. Readers go by manifests alone; the names are for people who look.
import { randomUUID } from 'node:crypto'
import type { PartitionSpec, TableMetadata } from '../iceberg/metadata.ts'
import type { Value } from '../iceberg/schema.ts'

/** `<table>/data/exchange_date=2026-01-05/symbol_hash=3/<uuid>.parquet`, never the same twice. */
export function newFileLocation(
  { location, properties }: TableMetadata,
  spec: PartitionSpec,
  partition: readonly (Value | null)[],
): string {
  const root = properties['write.data.path'] ?? `${location.replace(/\/+$/, '')}/data`
  const folders = spec.fields.map(
    ({ name, transform }, i) => `${encodeURIComponent(name)}=${encodeURIComponent(valueText(partition[i], transform))}`,
  )
  return [root, ...folders, `${randomUUID()}.parquet`].join('/')
}

function valueText(value: Value | null, transform: string): string {
  if (value === null) return 'null'
  if (transform === 'day' && typeof value === 'number' && Math.abs(value) < 1e8)
    return new Date(value * 86_400_000).toISOString().slice(0, -14)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64url')
  return String(value)
}
