// A table as a REST catalog answers it: its metadata, and with which keys its files are read.
import { Failure } from '../../../contract/failure.ts'
import { checkedMetadata } from '../iceberg/check-metadata.ts'
import { parseJson } from '../iceberg/json.ts'
import type { LoadedTable } from './catalog.ts'

interface TableAnswer {
  'metadata-location'?: string | null
  metadata?: unknown
  config?: Record<string, string>
  'storage-credentials'?: { prefix: string; config: Record<string, string> }[]
}

/** Settings of the catalog that are meant for the place of files, too. */
const OF_STORAGE = /^(s3|client)\./

export function readTable(text: string, catalog: Readonly<Record<string, string>>, about: string): LoadedTable {
  try {
    const answer = parseJson<TableAnswer>(text)
    const metadataLocation = answer['metadata-location'] ?? ''
    const metadata = checkedMetadata(answer.metadata, metadataLocation || about)
    return { metadata, metadataLocation, config: storageConfig(answer, catalog, metadata.location) }
  } catch (cause) {
    if (cause instanceof Failure && cause.code === 'INVALID_INPUT') throw cause
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new Failure('CORRUPT', `The metadata of ${about} cannot be read: ${why}. Nothing was changed.`, { cause })
  }
}

/** From the most general to the most special: the catalog's, the table's, those vended for the longest prefix. */
function storageConfig(
  { config, 'storage-credentials': vended }: TableAnswer,
  catalog: Readonly<Record<string, string>>,
  location: string,
): Readonly<Record<string, string>> {
  const ofCatalog = Object.entries(catalog).filter(([key]) => OF_STORAGE.test(key))
  const fitting = (vended ?? []).filter(({ prefix }) => location.startsWith(prefix))
  const [best] = fitting.sort((a, b) => b.prefix.length - a.prefix.length)
  return { ...Object.fromEntries(ofCatalog), ...config, ...best?.config }
}
