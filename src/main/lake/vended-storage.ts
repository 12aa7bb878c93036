// How to reach S3, as a REST catalog says it with a table: its keys and addresses go before the configured ones.
import type { LoadedTable } from './catalog/catalog.ts'
import type { S3Keys } from './io/s3-client.ts'
import type { S3Options } from './io/s3.ts'

export interface VendedStorage {
  /** Takes note of what came with a table; newer keys replace older ones. */
  learn: (loaded: LoadedTable) => void
  /** The configured options, and what was vended over them. */
  options: () => S3Options
}

export function createVendedStorage(configured: S3Options): VendedStorage {
  let vended: Readonly<Record<string, string>> = {}
  return {
    learn({ config = {} }) {
      vended = { ...vended, ...config }
    },
    options() {
      const { 's3.endpoint': endpoint, 's3.region': region, 'client.region': clientRegion } = vended
      const pathStyle = vended['s3.path-style-access']
      const { credentials } = configured
      const ofTable = keysIn(vended)
      return {
        ...configured,
        ...(endpoint && { endpoint }),
        ...((region ?? clientRegion) && { region: region ?? clientRegion }),
        ...(pathStyle && { pathStyle: pathStyle === 'true' }),
        // Asked for each time, as vended keys change while the program runs.
        credentials: ofTable ? () => Promise.resolve(keysIn(vended)!) : credentials,
      }
    },
  }
}

function keysIn(config: Readonly<Record<string, string>>): S3Keys | undefined {
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
