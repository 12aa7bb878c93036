// Where a lake says that its tables are.
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { openStorage } from '../../../src/main/lake/storage.ts'
import { makeTempFolder } from '../../support/temp-folder.ts'

async function locationOf(warehouse: string): Promise<string> {
  const file = join(makeTempFolder(), 'catalog.db')
  const opened = await openStorage({ warehouse, catalog: { kind: 'sqlite', file }, s3: {} })
  onTestFinished(async () => {
    await opened.catalog.close()
    await opened.io.close()
  })
  return opened.warehouse
}

it('has a scheme, but where other engines would take a part of the name for more than a name', async () => {
  expect(await locationOf('/lake/a b%20/')).toBe('file:///lake/a b%20')
  expect(await locationOf('/lake/a#b')).toBe('/lake/a#b')
  expect(await locationOf('/lake/a?b/')).toBe('/lake/a?b')
  expect(await locationOf('s3a://bucket/prefix/')).toBe('s3://bucket/prefix')
})

it('is refused in S3 where other engines would not find it', async () => {
  await expect(locationOf('s3://bucket/a#b')).rejects.toMatchObject({
    code: 'INVALID_INPUT',
    message: expect.stringContaining('Give K2_WAREHOUSE a prefix without them') as string,
  })
})
