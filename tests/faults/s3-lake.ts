// A lake on a real object store behind Iceberg's own REST catalog server, for a stream's faults.
import { startIcebergRest } from '../support/iceberg-rest.ts'
import { openS3Server, type S3Server } from '../support/s3-server.ts'
import type { Scope } from '../support/scope.ts'
import type { PlaceOptions } from '../support/stream-place.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'

export interface S3Lake {
  store: S3Server
  /** Between the writer and the catalog; whoever judges asks the catalog itself. */
  proxy: Awaited<ReturnType<typeof startTcpProxy>>
  /** For a place. */
  lake: NonNullable<PlaceOptions['lake']>
}

/** Ended with the scope. */
export async function openS3Lake(scope: Scope): Promise<S3Lake> {
  const store = await openS3Server()
  scope.add(store.close)
  const { endpoint, region, bucket, accessKeyId, secretAccessKey } = store
  const warehouse = `s3://${bucket}/warehouse`
  const s3 = { endpoint, region, accessKey: accessKeyId, secretKey: secretAccessKey }
  const rest = await startIcebergRest({ warehouse, s3 })
  scope.add(() => rest.stop())
  const proxy = await startTcpProxy()
  scope.add(proxy.close)
  proxy.target = Number(new URL(rest.url).port)
  const env = {
    K2_WAREHOUSE: warehouse,
    K2_CATALOG: `http://127.0.0.1:${proxy.port}`,
    K2_S3_ENDPOINT: endpoint,
    K2_S3_REGION: region,
    K2_S3_ACCESS_KEY: accessKeyId,
    K2_S3_SECRET_KEY: secretAccessKey,
  }
  const catalog = {
    type: 'rest',
    uri: rest.url,
    's3.endpoint': endpoint,
    's3.region': region,
    's3.access-key-id': accessKeyId,
    's3.secret-access-key': secretAccessKey,
  }
  return { store, proxy, lake: { env, catalog } }
}
