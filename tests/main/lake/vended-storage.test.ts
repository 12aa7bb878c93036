import { describe, expect, it } from 'vitest'
import type { LoadedTable } from '../../../src/main/lake/catalog/catalog.ts'
import { memoryFiles } from '../../../src/main/lake/io/memory.ts'
import { routeFiles } from '../../../src/main/lake/io/route-files.ts'
import type { S3Options } from '../../../src/main/lake/io/s3.ts'
import { createVendedStorage } from '../../../src/main/lake/vended-storage.ts'
import { emptyTrades } from './iceberg/metadata-sample.ts'

const loaded = (location: string, config?: Record<string, string>): LoadedTable => ({
  metadata: { ...emptyTrades(), location },
  metadataLocation: `${location}/metadata/0.metadata.json`,
  config,
})
const keys = (name: string) => ({ 's3.access-key-id': name, 's3.secret-access-key': `secret of ${name}` })

async function keyFor(options: S3Options): Promise<string | undefined> {
  const { credentials } = options
  return (typeof credentials === 'function' ? await credentials() : credentials)?.accessKeyId
}

describe('keys that a catalog vends', () => {
  it('are used for the table they came with, and renewed for it', async () => {
    const storage = createVendedStorage({})
    storage.learn(loaded('s3://lake/trades', keys('t1')))
    storage.learn(loaded('s3a://lake/trades_archive/', keys('a1')))
    const options = storage.options(storage.scopeOf('s3://lake/trades/data/x.parquet'))
    expect(await keyFor(options)).toBe('t1')
    expect(await keyFor(storage.options(storage.scopeOf('s3://lake/trades_archive/data/x.parquet')))).toBe('a1')
    storage.learn(loaded('s3://lake/trades', keys('t2')))
    expect(await keyFor(options)).toBe('t2')
  })

  it('leave the configured ones where there are none, with one way to S3 for all tables', async () => {
    const storage = createVendedStorage({ credentials: { accessKeyId: 'own', secretAccessKey: 'x' } })
    for (const name of ['trades', 'quotes']) storage.learn(loaded(`s3://lake/${name}`, { 's3.region': 'eu-west-1' }))
    const scopes = ['s3://lake/trades/a', 's3://lake/quotes/b', 's3://elsewhere/c'].map(storage.scopeOf)
    expect(scopes).toEqual(['', '', ''])
    expect(await keyFor(storage.options(''))).toBe('own')
    expect(storage.options('').region).toBe('eu-west-1')
  })
})

it('opens a way to S3 once for each scope, and closes them all', async () => {
  const events: string[] = []
  const files = routeFiles(memoryFiles(), {
    scopeOf: location => location.slice(0, 's3://lake/a'.length),
    open(scope) {
      events.push(`open ${scope}`)
      return { ...memoryFiles(), close: async () => void events.push(`close ${scope}`) }
    },
  })
  for (const name of ['a/1', 'b/1', 'a/2']) await files.write(`s3://lake/${name}`, new Uint8Array(1))
  await files.close()
  expect(events).toEqual(['open s3://lake/a', 'open s3://lake/b', 'close s3://lake/a', 'close s3://lake/b'])
})
