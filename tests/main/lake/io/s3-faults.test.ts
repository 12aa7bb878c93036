import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { isDraft } from '../../../../src/main/lake/io/drafts.ts'
import { s3Files, type S3Options } from '../../../../src/main/lake/io/s3.ts'
import { openFakeS3, type Fault } from '../../../support/fake-s3.ts'
import { LOOPBACK_CERTIFICATE } from '../../../support/loopback-certificate.ts'
import { failureOf } from '../../../support/file-contract.ts'
import { makeTempFolder } from '../../../support/temp-folder.ts'

const location = 's3://lake/a/file.bin'
const key = 'a/file.bin'
const bytes = Buffer.from('the whole file, as it was written')

async function open(fault: Parameters<typeof openFakeS3>[0], options: Partial<S3Options> = {}) {
  const server = await openFakeS3(fault)
  const cacheFolder = makeTempFolder()
  const credentials = { accessKeyId: 'key', secretAccessKey: 'secret' }
  const io = s3Files({ endpoint: server.endpoint, credentials, cacheFolder, timeoutMs: 300, ...options })
  onTestFinished(() => io.close())
  return { io, server, cacheFolder }
}

/** For the first `count` requests of a method. */
const first = (count: number, method: string, fault: Fault) => (request: { method: string }, nth: number) =>
  request.method === method && nth < count ? fault : undefined

const busy: Fault[] = [
  { kind: 'error', status: 500, code: 'InternalError' },
  { kind: 'error', status: 503, code: 'SlowDown' },
  { kind: 'error', status: 429, code: 'TooManyRequests' },
  { kind: 'error', status: 502 },
  { kind: 'reset' },
  { kind: 'silence' },
]

describe('an S3 server that is busy or lost for a while', () => {
  it.each([...busy, { kind: 'cut' }, { kind: 'stall' }] satisfies Fault[])(
    'is asked again to read: %o',
    async fault => {
      const { io, server } = await open(first(1, 'GET', fault))
      server.files.set(key, { bytes })
      expect(Buffer.from(await io.read(location))).toEqual(bytes)
      expect(server.requests).toHaveLength(2)
    },
  )

  it.each([...busy, { kind: 'cut' }, { kind: 'stall' }] satisfies Fault[])(
    'is asked again to open: %o',
    async fault => {
      const { io, server, cacheFolder } = await open(first(1, 'GET', fault))
      server.files.set(key, { bytes })
      const { path, release } = await io.open(location)
      expect(readFileSync(path)).toEqual(bytes)
      release()
      expect(readdirSync(cacheFolder).filter(isDraft)).toEqual([])
    },
  )

  it.each([...busy, { kind: 'damage' }] satisfies Fault[])('is asked again to write: %o', async fault => {
    const { io, server } = await open(first(1, 'PUT', fault))
    await io.write(location, bytes)
    expect(server.files.get(key)?.bytes).toEqual(bytes)
    expect(server.requests).toHaveLength(2)
  })

  it.each([{ kind: 'reset' }, { kind: 'damage' }] satisfies Fault[])(
    'is sent a large file again from its start: %o',
    async fault => {
      const { io, server } = await open(first(2, 'PUT', fault))
      const large = Buffer.alloc(9_000_000, bytes) // more than is held in memory
      const draft = await io.draftPath(location)
      writeFileSync(draft, large)
      await io.adopt(draft, location)
      expect(server.files.get(key)?.bytes.equals(large)).toBe(true)
      expect(server.requests).toHaveLength(3)
    },
  )

  it('is given up in the end, by name, and the local file is gone', async () => {
    const { io } = await open(() => ({ kind: 'error', status: 503, code: 'ServiceUnavailable' }), { attempts: 3 })
    const draft = await io.draftPath(location)
    writeFileSync(draft, bytes)
    const failure = await failureOf(io.adopt(draft, location))
    expect(failure).toMatchObject({ code: 'UNAVAILABLE', retryable: true })
    expect(failure.message).toMatch(/503 \(ServiceUnavailable\).*Tried 3 times.*not known/)
    expect(existsSync(draft)).toBe(false)
  })

  it('is left at once when the caller no longer wants it', async () => {
    const { io, server } = await open(() => ({ kind: 'silence' }), { timeoutMs: 60_000 })
    const leaving = new AbortController()
    const works = [io.read(location, undefined, leaving.signal), io.open(location, leaving.signal)]
    const ends = Promise.all(works.map(failureOf))
    while (server.requests.length < 2) await new Promise(resolve => setTimeout(resolve, 5))
    leaving.abort()
    expect((await ends).map(failure => failure.code)).toEqual(['CANCELLED', 'CANCELLED'])
  })
})

describe('a write whose answer was lost', () => {
  it.each([
    { kind: 'reset', after: true },
    { kind: 'silence', after: true },
  ] satisfies Fault[])('is known to have landed, by its id: %o', async fault => {
    const { io, server } = await open(first(1, 'PUT', fault))
    await io.write(location, bytes)
    expect(server.requests.map(request => request.method)).toEqual(['PUT', 'PUT', 'HEAD'])
    expect(server.files.get(key)?.bytes).toEqual(bytes)
  })

  it('is known by its content where the server keeps no metadata', async () => {
    const { io, server } = await open(first(1, 'PUT', { kind: 'reset', after: true }))
    const write = io.write(location, bytes)
    while (server.files.size === 0) await new Promise(resolve => setTimeout(resolve, 1))
    server.files.get(key)!.writeId = undefined
    await write
    expect(server.requests.map(request => request.method)).toEqual(['PUT', 'PUT', 'HEAD', 'GET'])
  })

  it("is a CONFLICT when the file that is there is another's, even of the same length", async () => {
    const { io, server } = await open(first(1, 'PUT', { kind: 'reset' }))
    server.files.set(key, { bytes: Buffer.from(bytes).reverse(), writeId: 'another' })
    expect((await failureOf(io.write(location, bytes))).code).toBe('CONFLICT')
    server.files.set('b', { bytes: Buffer.from(bytes).reverse() })
    expect((await failureOf(io.write('s3://lake/b', bytes))).code).toBe('CONFLICT')
  })
})

describe('an S3 server with gaps', () => {
  it('that has no conditional writes is looked at before each one', async () => {
    const { io, server } = await open(({ headers }) =>
      headers['if-none-match'] === undefined ? undefined : { kind: 'error', status: 501, code: 'NotImplemented' },
    )
    await io.write(location, bytes)
    expect((await failureOf(io.write(location, Buffer.from('other')))).code).toBe('CONFLICT')
    expect(server.files.get(key)?.bytes).toEqual(bytes)
    expect(server.requests.map(({ method }) => method)).toEqual(['PUT', 'HEAD', 'PUT', 'HEAD'])
  })

  it('that has no ranges is read whole', async () => {
    const { io, server } = await open(() => ({ kind: 'plain' }))
    server.files.set(key, { bytes })
    expect(Buffer.from(await io.read(location, { start: 4, length: 5 })).toString()).toBe('whole')
    expect((await failureOf(io.read(location, { start: 4, length: 500 }))).code).toBe('CORRUPT')
    expect(readFileSync((await io.open(location)).path)).toEqual(bytes)
  })
})

describe('what S3 refuses is said by name, once, with what to do', () => {
  const hourAgo = new Date(Date.now() - 3_600_000).toISOString()
  it.each([
    [403, 'AccessDenied', '', {}, 'FORBIDDEN', /may not do this in bucket lake/],
    [403, 'InvalidAccessKeyId', '', {}, 'UNAUTHORIZED', /does not know the access key/],
    [403, 'SignatureDoesNotMatch', '', {}, 'UNAUTHORIZED', /secret key does not belong/],
    [400, 'ExpiredToken', '', {}, 'UNAUTHORIZED', /session token is no longer valid/],
    [404, 'NoSuchBucket', '', {}, 'NOT_FOUND', /no bucket lake at http/],
    [
      301,
      'PermanentRedirect',
      '',
      { 'x-amz-bucket-region': 'eu-central-1' },
      'INVALID_INPUT',
      /in eu-central-1, not in us/,
    ],
    [400, 'AuthorizationHeaderMalformed', '<Region>eu-west-1</Region>', {}, 'INVALID_INPUT', /in eu-west-1, not in us/],
    [400, 'EntityTooLarge', '', {}, 'INVALID_INPUT', /5 GiB.*smaller files/],
    [507, 'XMinioStorageFull', '', {}, 'UNAVAILABLE', /no room left/],
  ])('%i %s', async (status, s3, text, headers, code, message) => {
    const { io, server } = await open(() => ({ kind: 'error', status, code: s3, text, headers }))
    for (const attempt of [() => io.read(location), () => io.write(location, bytes), () => io.open(location)]) {
      const before = server.requests.length
      const failure = await failureOf(attempt())
      expect(failure).toMatchObject({ code, retryable: false, details: { location, s3, status } })
      expect(failure.message).toMatch(message)
      expect(server.requests.length - before).toBe(1)
    }
  })

  it("a clock that is wrong, and by how much, after a try by the server's own", async () => {
    const text = `<ServerTime>${hourAgo}</ServerTime>`
    const { io, server } = await open(() => ({ kind: 'error', status: 403, code: 'RequestTimeTooSkewed', text }))
    const failure = await failureOf(io.write(location, bytes))
    expect(failure.code).toBe('UNAUTHORIZED')
    expect(failure.message).toMatch(/clock is 36\d\d s ahead of the server's/)
    expect(server.requests).toHaveLength(2)
  })

  it('a server that does not speak TLS, and an authority that is not there', async () => {
    const { server } = await open(() => undefined)
    const endpoint = server.endpoint.replace('http:', 'https:')
    const { io } = await open(() => undefined, { endpoint })
    expect((await failureOf(io.read(location))).message).toMatch(/does not speak TLS/)
    const other = await open(() => undefined, { endpoint, caFile: '/nowhere/ca.pem' })
    expect((await failureOf(other.io.read(location))).message).toMatch(/\/nowhere\/ca.pem is not there/)
  })

  it('a certificate that nobody trusts, until the file of its authority is named', async () => {
    const { endpoint, files } = await openFakeS3(() => undefined, { tls: true })
    files.set(key, { bytes })
    const distrusting = await open(() => undefined, { endpoint })
    const failure = await failureOf(distrusting.io.read(location))
    expect(failure).toMatchObject({ code: 'UNAVAILABLE', retryable: false })
    expect(failure.message).toMatch(/certificate of https:.* is not trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\)/)
    const caFile = join(makeTempFolder(), 'ca.pem')
    writeFileSync(caFile, LOOPBACK_CERTIFICATE)
    const trusting = await open(() => undefined, { endpoint, caFile })
    expect(Buffer.from(await trusting.io.read(location))).toEqual(bytes)
  })

  it('and keeps no request or socket in the failure', async () => {
    const { io } = await open(() => ({ kind: 'error', status: 403, code: 'AccessDenied' }))
    const failure = await failureOf(io.read(location))
    expect(Object.keys(failure.cause as object)).not.toContain('$response')
  })
})

describe('keys that a catalog vends', () => {
  it('are asked for once, again when they are about to expire, and when the server calls them expired', async () => {
    let asked = 0
    const vendor: { lifeMs?: number; refuses?: string } = {}
    const credentials = async () => {
      const expiresAtMs = vendor.lifeMs === undefined ? undefined : Date.now() + vendor.lifeMs
      return { accessKeyId: `key-${asked++}`, secretAccessKey: 's', sessionToken: 't', expiresAtMs }
    }
    const expired: Fault = { kind: 'error', status: 400, code: 'ExpiredToken' }
    const { io, server } = await open(
      ({ headers }) =>
        vendor.refuses !== undefined && headers.authorization?.includes(vendor.refuses) === true ? expired : undefined,
      { credentials },
    )
    for (const name of ['a', 'b', 'c']) await io.write(`s3://lake/${name}`, bytes)
    expect(asked).toBe(1)
    expect(server.requests[0].headers['x-amz-security-token']).toBe('t')
    Object.assign(vendor, { refuses: 'key-0', lifeMs: 80_000 })
    await io.write('s3://lake/d', bytes)
    expect(asked).toBe(2)
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 30_000 })
    onTestFinished(() => void vi.useRealTimers())
    await io.write('s3://lake/f', bytes)
    expect(asked).toBe(2)
    vi.setSystemTime(Date.now() + 20_000)
    await io.write('s3://lake/e', bytes)
    expect(asked).toBe(3)
    expect(server.files.size).toBe(6)
  })
})
