// Where a lake is: its catalog, and the files that its tables are made of.
import { Failure } from '../../contract/failure.ts'
import type { Catalog } from './catalog/catalog.ts'
import { openRestCatalog } from './catalog/rest.ts'
import { openSqlCatalog } from './catalog/sql.ts'
import type { FileIO } from './io/file-io.ts'
import { localFiles } from './io/local.ts'
import { canonicalLocation, parseLocation } from './io/location.ts'
import { routeFiles } from './io/route-files.ts'
import { s3Files, type S3Options } from './io/s3.ts'
import { createVendedStorage } from './vended-storage.ts'

export const CATALOG_NAME = 'k2'

export type CatalogOptions =
  | { kind: 'sqlite'; file: string }
  | { kind: 'rest'; url: string; token?: string; credential?: string; warehouse?: string; caFile?: string }

export interface StorageOptions {
  /** A folder's path, or `s3://bucket/prefix`. */
  warehouse: string
  catalog: CatalogOptions
  s3: S3Options
}

export async function openStorage(options: StorageOptions) {
  const warehouse = locationOf(options.warehouse)
  const storage = createVendedStorage(options.s3)
  const io: FileIO = routeFiles(localFiles(), {
    scopeOf: storage.scopeOf,
    open: scope => s3Files(storage.options(scope)),
  })
  const catalog = await openCatalog(options.catalog, io, warehouse)
  return { warehouse, storage, io, catalog }
}

function openCatalog(catalog: CatalogOptions, io: FileIO, warehouse: string): Promise<Catalog> | Catalog {
  if (catalog.kind === 'rest') return openRestCatalog(catalog)
  return openSqlCatalog({ file: catalog.file, name: CATALOG_NAME, io, warehouse })
}

/**
 * As it stands in metadata. Other engines want a scheme, but PyIceberg cuts a location that has one at # and ?, and takes
 * a path as it is; Java and DuckDB take both.
 */
function locationOf(warehouse: string): string {
  const location = canonicalLocation(warehouse).replace(/\/+$/, '')
  if (!/[#?]/.test(location)) return location
  const place = parseLocation(location)
  if (place.kind === 'file') return place.path
  throw new Failure(
    'INVALID_INPUT',
    `The warehouse ${warehouse} cannot be used: other Iceberg engines cut the name of a place in S3 at # and ?, and would not find the tables. Give K2_WAREHOUSE a prefix without them.`,
  )
}
