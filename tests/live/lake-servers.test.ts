// The built program on real servers: Iceberg's Java REST catalog and an S3 store, by configuration alone.
import { join, resolve } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startIcebergRest } from '../support/iceberg-rest.ts'
import { newProfile, runK2 } from '../support/k2.ts'
import { needs } from '../support/needs.ts'
import { openS3Server } from '../support/s3-server.ts'

const sample = resolve(import.meta.dirname, '../../resources/sample')
const [rest, s3] = [needs('iceberg-rest'), needs('s3')]

describe.skipIf(rest.skip || s3.skip)(`k2 on a REST catalog and S3${rest.because}${s3.because}`, () => {
  it('makes tables, loads, compacts, rolls back and checks as it does in a folder', { timeout: 180_000 }, async () => {
    const store = await openS3Server({ bucket: 'lake' })
    onTestFinished(() => store.close())
    const { endpoint, accessKeyId: accessKey, secretAccessKey: secretKey, region } = store
    const catalog = await startIcebergRest({
      warehouse: 's3://lake/tables',
      s3: { endpoint, accessKey, secretKey, region },
    })
    onTestFinished(() => catalog.stop())
    const env = {
      K2_CATALOG: catalog.url,
      K2_WAREHOUSE: 's3://lake/tables',
      K2_S3_ENDPOINT: endpoint,
      K2_S3_REGION: region,
      K2_S3_ACCESS_KEY: accessKey,
      K2_S3_SECRET_KEY: secretKey,
    }
    const profile = newProfile()
    const k2 = async (...words: string[]) => {
      const ran = await runK2(['--profile', profile, ...words, '-o', 'json'], { env })
      expect([ran.code, ran.stderr], words.join(' ')).toEqual([0, expect.not.stringMatching(/^k2:/m)])
      return JSON.parse(ran.stdout) as Record<string, unknown>[]
    }
    const made = await k2('lake', 'init')
    expect(made.every(({ location }) => String(location).startsWith('s3://lake/'))).toBe(true)
    const load = (name: string) =>
      runK2(
        ['--profile', profile, 'ingest', 'load', join(sample, name), '--exchange', 'asx'].concat([
          '--reference',
          join(sample, 'company_info.csv'),
          '--type',
          'trades',
        ]),
        { env },
      )
    for (const name of ['7181_trades.csv.gz', '3153_trades.csv.gz']) expect((await load(name)).code).toBe(0)
    const [second, first] = await k2('lake', 'snapshots')
    expect([first.total_rows, second.total_rows]).toEqual([231, 241])
    await k2('lake', 'rollback', String(first.snapshot_id))
    await k2('lake', 'rollback', String(second.snapshot_id))
    const [compacted] = await k2('lake', 'compact', '--table', 'trades')
    expect(compacted.table).toBe('trades')
    expect(await k2('lake', 'verify')).toMatchObject({ status: 'sound' })
  })

  it('says which server it cannot reach, and what to look at', { timeout: 60_000 }, async () => {
    const profile = newProfile()
    const env = { K2_CATALOG: 'http://127.0.0.1:9', K2_WAREHOUSE: 's3://lake/tables' }
    const { code, stderr } = await runK2(['--profile', profile, 'lake', 'snapshots'], { env })
    expect(code).toBe(1)
    expect(stderr).toMatch(/http:\/\/127\.0\.0\.1:9/)
  })
})
