import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it, onTestFinished } from 'vitest'
import { parseName } from '../../../../src/main/lake/io/cache-folder.ts'
import { isDraft } from '../../../../src/main/lake/io/drafts.ts'
import { storedFiles, type FileIO } from '../../../../src/main/lake/io/file-io.ts'
import { localFiles } from '../../../../src/main/lake/io/local.ts'
import { memoryFiles } from '../../../../src/main/lake/io/memory.ts'
import { routeFiles } from '../../../../src/main/lake/io/route-files.ts'
import { s3Files } from '../../../../src/main/lake/io/s3.ts'
import { openFakeS3 } from '../../../support/fake-s3.ts'
import { faultyFiles } from '../../../support/faulty-files.ts'
import { failureOf } from '../../../support/file-contract.ts'
import { makeTempFolder } from '../../../support/temp-folder.ts'

const written = Buffer.from('as it was written')
const changed = Buffer.from('as it is now, longer')

async function openS3() {
  const server = await openFakeS3(() => undefined)
  const cacheFolder = makeTempFolder()
  const credentials = { accessKeyId: 'key', secretAccessKey: 'secret' }
  const s3 = s3Files({ endpoint: server.endpoint, credentials, cacheFolder })
  onTestFinished(() => s3.close())
  const files = routeFiles(localFiles(), { scopeOf: () => '', open: () => s3 })
  return { files, server, cacheFolder }
}

describe('what is stored in S3', () => {
  it('is told past the copies on this machine, and leaves them as they are', async () => {
    const { files, server, cacheFolder } = await openS3()
    const stored = storedFiles(files)
    await files.write('s3://lake/a', written)
    server.files.set('a', { bytes: changed })
    const kept = () => readdirSync(cacheFolder).filter(name => parseName(name))
    const before = kept()
    expect(Buffer.from(await stored.read('s3://lake/a'))).toEqual(changed)
    expect(await stored.size('s3://lake/a')).toBe(changed.length)
    const { path, release } = await stored.open('s3://lake/a')
    expect(readFileSync(path)).toEqual(changed)
    release()
    expect(kept()).toEqual(before)
    expect(readdirSync(cacheFolder).filter(isDraft)).toEqual([])
    expect(Buffer.from(await files.read('s3://lake/a'))).toEqual(written)
  })

  it('is missing there although a copy is here', async () => {
    const { files, server, cacheFolder } = await openS3()
    const stored = storedFiles(files)
    await files.write('s3://lake/a', written)
    server.files.delete('a')
    for (const ask of ['read', 'open', 'size'] as const)
      expect(await failureOf(stored[ask]('s3://lake/a'))).toMatchObject({ code: 'NOT_FOUND' })
    expect(readdirSync(cacheFolder).filter(isDraft)).toEqual([])
  })
})

describe('how long a stored file is', () => {
  const places: [string, () => FileIO][] = [
    ['a folder', () => localFiles()],
    ['memory', () => memoryFiles()],
    ['a place that does not say it itself', () => faultyFiles(memoryFiles())],
  ]
  it.each(places)('is told in %s', async (_, open) => {
    const files = open()
    const folder = makeTempFolder()
    await files.write(`${folder}/a`, written)
    expect(await storedFiles(files).size(`${folder}/a`)).toBe(written.length)
    expect(await failureOf(storedFiles(files).size(`${folder}/b`))).toMatchObject({ code: 'NOT_FOUND' })
  })
})
