// The effective configuration as rows for people: `k2 config`, secrets masked.
import { join } from 'node:path'
import { MASK, maskSecrets } from '../base/mask.ts'
import { listSettings, type Config, type Source } from './settings.ts'

export interface ConfigRow {
  name: string
  value: string
  source: Source
  about: string
}

export function describeConfig({ sources }: Config): ConfigRow[] {
  return listSettings().map(({ name, secret, about }) => {
    const { source, text } = sources[name]
    return { name, value: secret && text ? MASK : maskSecrets(text), source, about }
  })
}

/** Where the SQL catalog is; undefined with a REST catalog. A warehouse in S3 cannot hold it, so then the profile does. */
export function catalogFile({ profile, catalog, lake }: Config): string | undefined {
  if (catalog.at.kind === 'rest') return undefined
  return join(lake.warehouse.kind === 'folder' ? lake.warehouse.path : profile, 'catalog.db')
}
