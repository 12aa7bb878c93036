// Files in S3, on a real server: the same promises as in a folder, wrong settings named, and figures.
import { randomUUID } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { s3Files, type S3Options } from '../../src/main/lake/io/s3.ts'
import { failureOf, listed, testFileContract } from '../support/file-contract.ts'
import { needs } from '../support/needs.ts'
import { findS3Server, openS3Server, type S3Server } from '../support/s3-server.ts'
import { makeTempFolder } from '../support/temp-folder.ts'

const s3 = needs('s3')
const { kind } = findS3Server()
const isMoto = kind === 'moto'
let server: S3Server

function openFiles(options: Partial<S3Options> = {}) {
  const { endpoint, region, accessKeyId, secretAccessKey } = server
  const cacheFolder = options.cacheFolder ?? makeTempFolder()
  const io = s3Files({ endpoint, region, credentials: { accessKeyId, secretAccessKey }, cacheFolder, ...options })
  onTestFinished(() => io.close())
  return io
}

const newRoot = () => `s3://${server.bucket}/${randomUUID()}`

describe.skipIf(s3.skip)(`files in S3${s3.because}`, () => {
  beforeAll(async () => {
    server = await openS3Server()
  })
  afterAll(() => server.close())

  describe(`at ${kind ?? 'no server'}`, () => {
    testFileContract(async () => ({ io: openFiles(), root: newRoot() }), 20)
  })

  it('are the same files for another machine, without its cache', async () => {
    const root = newRoot()
    await openFiles().write(`${root}/a`, Uint8Array.of(1, 2, 3))
    const other = openFiles()
    expect([...(await other.read(`${root}/a`, { start: 1, length: 2 }))]).toEqual([2, 3])
    expect([...(await other.read(`${root}/a`))]).toEqual([1, 2, 3])
    const { path, release } = await other.open(`${root}/a`)
    expect([...readFileSync(path)]).toEqual([1, 2, 3])
    release()
  })

  it('that are large go up from the disk and come down in parts, to the byte', async () => {
    const io = openFiles()
    const location = `${newRoot()}/large.parquet`
    const bytes = Buffer.alloc(45_000_001)
    for (let i = 0; i < bytes.length; i += 4096) bytes.writeUInt32LE(i, Math.min(i, bytes.length - 4))
    const draft = await io.draftPath(location)
    writeFileSync(draft, bytes)
    await io.adopt(draft, location)
    const other = openFiles()
    const { path, release } = await other.open(location)
    expect(readFileSync(path).equals(bytes)).toBe(true)
    release()
    expect(await listed(other, location.replace('/large.parquet', ''))).toMatchObject([{ bytes: bytes.length }])
  })

  it('of more than a thousand are listed over several pages', async () => {
    const io = openFiles()
    const root = newRoot()
    await Promise.all(Array.from({ length: 1_010 }, (_, i) => io.write(`${root}/${i}`, Uint8Array.of(i))))
    const files = await listed(io, root)
    expect(new Set(files.map(file => file.location)).size).toBe(1_010)
  })

  it.skipIf(isMoto).each([
    ['an unknown access key', { accessKeyId: 'nobody' }, 'UNAUTHORIZED', /does not know the access key/],
    ['a wrong secret key', { secretAccessKey: 'wrong' }, 'UNAUTHORIZED', /secret key does not belong/],
  ])('name %s (not with moto, which takes any keys)', async (_, wrong, code, text) => {
    const { accessKeyId, secretAccessKey } = server
    const io = openFiles({ credentials: { accessKeyId, secretAccessKey, ...wrong } })
    const location = `${newRoot()}/a`
    const attempts = [() => io.read(location), () => io.write(location, Uint8Array.of(1)), () => listed(io, location)]
    for (const attempt of attempts) {
      const failure = await failureOf(attempt())
      expect(failure).toMatchObject({ code, retryable: false })
      expect(failure.message).toMatch(text)
      expect(failure.message).toContain(location)
    }
  })

  it('name a missing bucket', async () => {
    const io = openFiles()
    const location = 's3://nowhere-at-all/a/b'
    const attempts = [() => io.read(location), () => io.write(location, Uint8Array.of(1)), () => listed(io, location)]
    for (const attempt of attempts) {
      const failure = await failureOf(attempt())
      expect(failure.code).toBe('NOT_FOUND')
      expect(failure.message).toMatch(/no bucket nowhere-at-all at http:/)
    }
  })

  it("are reached although this machine's clock is an hour off", async () => {
    for (const clockOffsetMs of [-3_600_000, 3_600_000]) {
      const io = openFiles({ clockOffsetMs })
      const location = `${newRoot()}/a`
      await io.write(location, Uint8Array.of(1))
      expect([...(await io.read(location))]).toEqual([1])
    }
  })

  it('take keys that are replaced while they run', async () => {
    const { accessKeyId, secretAccessKey } = server
    let asked = 0
    const io = openFiles({
      credentials: async () =>
        asked++ === 0 ? { accessKeyId: 'old', secretAccessKey } : { accessKeyId, secretAccessKey },
    })
    const location = `${newRoot()}/a`
    await io.write(location, Uint8Array.of(1))
    expect([...(await io.read(location))]).toEqual([1])
    expect(asked).toBe(isMoto ? 1 : 2)
  })

  it.skipIf(isMoto)(
    'are read again after the server was killed and started anew (not with moto, which forgets all)',
    async () => {
      const io = openFiles({ attempts: 12 })
      const root = newRoot()
      await io.write(`${root}/a`, Uint8Array.of(1))
      await server.kill()
      const writes = Array.from({ length: 8 }, (_, i) => io.write(`${root}/b${i}`, Uint8Array.of(i)))
      await server.restart()
      await Promise.all(writes)
      expect(await listed(openFiles(), root)).toHaveLength(9)
    },
  )

  it('say that the server cannot be reached', async () => {
    const io = openFiles({ endpoint: 'http://127.0.0.1:9', attempts: 2 })
    const failure = await failureOf(io.read(`${newRoot()}/a`))
    expect(failure).toMatchObject({ code: 'UNAVAILABLE', retryable: true })
    expect(failure.message).toMatch(/http:\/\/127\.0\.0\.1:9 cannot be reached \(ECONNREFUSED\).*Tried 2 times/)
  })

  it('of one flush, 16 of them, are written in a few milliseconds each', async () => {
    const io = openFiles()
    await io.write(`${newRoot()}/warm`, Uint8Array.of(1))
    const elapsed: number[] = []
    for (let n = 0; n < 5; n++) {
      const root = newRoot()
      const drafts = await Promise.all(Array.from({ length: 16 }, (_, i) => io.draftPath(`${root}/${i}`)))
      for (const draft of drafts) writeFileSync(draft, Buffer.alloc(60_000, 7))
      const startMs = performance.now()
      await Promise.all(drafts.map((draft, i) => io.adopt(draft, `${root}/${i}`)))
      elapsed.push(performance.now() - startMs)
    }
    const [bestMs] = elapsed.sort((a, b) => a - b)
    console.log(`16 files of 60 kB adopted into S3: ${elapsed.map(ms => ms.toFixed(0)).join(', ')} ms`)
    expect(bestMs).toBeLessThan(400)
  })

  it('open 200 small ones from the cache in a few milliseconds', async () => {
    const cacheFolder = makeTempFolder()
    const root = newRoot()
    const names = Array.from({ length: 200 }, (_, i) => `${root}/${i}.parquet`)
    const io = openFiles()
    await Promise.all(names.map(name => io.write(name, Buffer.alloc(20_000, 7))))
    const reader = openFiles({ cacheFolder })
    const openAll = async () => {
      const startMs = performance.now()
      const files = await Promise.all(names.map(name => reader.open(name)))
      const elapsedMs = performance.now() - startMs
      for (const { release } of files) release()
      return elapsedMs
    }
    const coldMs = await openAll()
    const warmMs = [await openAll(), await openAll(), await openAll()].sort((a, b) => a - b)
    console.log(
      `200 files of 20 kB: cold ${coldMs.toFixed(0)} ms, warm ${warmMs.map(ms => ms.toFixed(1)).join(', ')} ms`,
    )
    expect(warmMs[0]).toBeLessThan(40)
    expect(readFileSync((await reader.open(names[3])).path)).toHaveLength(20_000)
  })
})
