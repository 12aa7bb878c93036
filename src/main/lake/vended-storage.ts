// How to reach S3, as a REST catalog says it with a table: its keys and addresses go before the configured ones. Keys
// are for the table that they came with: many a server lets them into no other one's folder.
import type { LoadedTable } from './catalog/catalog.ts'
import type { S3Keys } from './io/s3-client.ts'
import type { S3Options } from './io/s3.ts'

export interface VendedStorage {
  /** Takes note of what came with a table; newer keys replace older ones. */
  learn: (loaded: LoadedTable) => void
  /** The table whose keys a location needs; empty where none were vended for one. */
  scopeOf: (location: string) => string
  /** The configured options, and what was vended in that scope over them. */
  options: (scope: string) => S3Options
}

type Settings = Readonly<Record<string, string>>

export function createVendedStorage(configured: S3Options): VendedStorage {
  /** By a table's place; of all tables together under the empty one, for addresses and for files elsewhere. */
  const vended = new Map<string, Settings>()
  return {
    learn({ config = {}, metadata }) {
      for (const place of ['', folderOf(metadata.location)]) vended.set(place, { ...vended.get(place), ...config })
    },
    scopeOf(location) {
      const folder = folderOf(location)
      const places = [...vended.keys()].filter(place => place !== '' && folder.startsWith(place))
      const [nearest] = places.sort((a, b) => b.length - a.length)
      return nearest && keysIn(vended.get(nearest)) ? nearest : ''
    },
    options(scope) {
      const settings = vended.get(scope) ?? {}
      const { 's3.endpoint': endpoint, 's3.region': region, 'client.region': clientRegion } = settings
      const pathStyle = settings['s3.path-style-access']
      const { credentials } = configured
      const ofTable = keysIn(settings)
      return {
        ...configured,
        ...(endpoint && { endpoint }),
        ...((region ?? clientRegion) && { region: region ?? clientRegion }),
        ...(pathStyle && { pathStyle: pathStyle === 'true' }),
        // Asked for each time, as vended keys change while the program runs.
        credentials: ofTable ? () => Promise.resolve(keysIn(vended.get(scope))!) : credentials,
      }
    },
  }
}

/** With an end, so that no table's place begins like another's. */
function folderOf(location: string): string {
  return `${location.replace(/^s3[an]:/i, 's3:').replace(/\/+$/, '')}/`
}

function keysIn(config: Settings = {}): S3Keys | undefined {
  const { 's3.access-key-id': accessKeyId, 's3.secret-access-key': secretAccessKey } = config
  if (!accessKeyId || !secretAccessKey) return undefined
  const expiresAt = config['s3.session-token-expires-at-ms']
  return {
    accessKeyId,
    secretAccessKey,
    sessionToken: config['s3.session-token'],
    ...(expiresAt && { expiresAtMs: Number(expiresAt) }),
  }
}
