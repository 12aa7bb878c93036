// From the configuration to what the lake wants to know.
import { join } from 'node:path'
import type { Config } from '../config/settings.ts'
import type { LakeOptions } from '../lake/lake.ts'
import type { CatalogOptions } from '../lake/storage.ts'

/** For sorting what is written; the rest of the 2 GB that the whole app may take belongs to tail and queries. */
const WRITER_MEMORY_MB = 384

export function lakeOptions({ lake, catalog, s3, tls, profile }: Config): LakeOptions {
  const { warehouse } = lake
  const { endpoint, region, pathStyle, accessKey, secretKey, sessionToken } = s3
  const { caFile } = tls
  // The configuration has both keys or none.
  const credentials =
    accessKey && secretKey ? { accessKeyId: accessKey, secretAccessKey: secretKey, sessionToken } : undefined
  return {
    warehouse: warehouse.kind === 'folder' ? warehouse.path : `s3://${warehouse.bucket}/${warehouse.prefix}`,
    catalog: catalogOptions(),
    s3: { endpoint, region, pathStyle, caFile, credentials, cacheFolder: join(profile, 'cache', 's3') },
    tempFolder: join(profile, 'cache', 'spill'),
    memoryMb: WRITER_MEMORY_MB,
  }

  function catalogOptions(): CatalogOptions {
    if (catalog.at.kind === 'rest') {
      const { token, credential, warehouse: name } = catalog
      return { kind: 'rest', url: catalog.at.url, token, credential, warehouse: name, caFile }
    }
    const folder = warehouse.kind === 'folder' ? warehouse.path : profile
    return { kind: 'sqlite', file: join(folder, 'catalog.db') }
  }
}
