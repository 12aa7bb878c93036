// Browser mode: who gets the page, what it may do, and the files it is made of.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { createSessions } from '../../../src/main/wire/http/sessions.ts'
import { serveSample } from './http-fixture.ts'

const script = 'console.log("a page")\n'.repeat(200)

async function servePage() {
  const folder = await mkdtemp(join(tmpdir(), 'k2-page-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const rendererFolder = join(folder, 'renderer')
  await mkdir(join(rendererFolder, 'assets'), { recursive: true })
  await writeFile(join(folder, 'secret.txt'), 'secret')
  await writeFile(
    join(rendererFolder, 'index.html'),
    '<script nonce="__NONCE__"></script><style nonce="__NONCE__"></style>',
  )
  await writeFile(join(rendererFolder, 'assets/index-B1c2D3e4.js'), script)
  await writeFile(join(rendererFolder, 'icon.svg'), '<svg/>')
  const served = await serveSample({ rendererFolder })
  const visit = (path: string, headers: Record<string, string> = {}) =>
    fetch(served.url + path, { headers, redirect: 'manual' })
  /** Opens the page as the printed address does. */
  const enter = async () => {
    const answer = await visit(`/?token=${served.server.issuePageToken()}`)
    return { answer, cookie: answer.headers.get('set-cookie')!.split(';')[0] }
  }
  return { ...served, visit, enter }
}

it('exchanges a token for a session that scripts cannot read and other sites cannot use', async () => {
  const { enter, port } = await servePage()
  const { answer } = await enter()
  expect([answer.status, answer.headers.get('location')]).toEqual([303, '/'])
  const [pair, ...flags] = answer.headers.get('set-cookie')!.split('; ')
  expect(pair).toMatch(new RegExp(`^k2_session_${port}=[\\w-]{43}$`))
  expect(flags.sort()).toEqual(['HttpOnly', 'Path=/', 'SameSite=Strict'])
})

it('takes a token once', async () => {
  const { visit, server } = await servePage()
  const token = server.issuePageToken()
  expect(token).toMatch(/^[\w-]{43}$/)
  expect((await visit(`/?token=${token}`)).status).toBe(303)
  const again = await visit(`/?token=${token}`)
  expect(again.status).toBe(401)
  expect(again.headers.has('set-cookie')).toBe(false)
  expect(await again.text()).toMatch(/used already/)
})

it('refuses a token that was never given out', async () => {
  const { visit } = await servePage()
  for (const token of ['', 'wrong', 'a&token=b']) expect((await visit(`/?token=${token}`)).status).toBe(401)
})

it('does not use a token up for a look ahead', async () => {
  const { ask, visit, server } = await servePage()
  const token = server.issuePageToken()
  expect((await ask(`/?token=${token}`, { method: 'HEAD' })).headers.has('set-cookie')).toBe(false)
  expect((await visit(`/?token=${token}`)).status).toBe(303)
})

it('sends whoever has a session to the page, also from a used address', async () => {
  const { visit, enter } = await servePage()
  const { cookie } = await enter()
  const answer = await visit('/?token=used', { cookie })
  expect([answer.status, answer.headers.get('location')]).toEqual([303, '/'])
})

it('says how to open the page to whoever has no session', async () => {
  const { visit, port } = await servePage()
  for (const headers of <Record<string, string>[]>[
    {},
    { cookie: `k2_session_${port}=made-up` },
    { cookie: 'other=1' },
  ]) {
    const answer = await visit('/', headers)
    expect([answer.status, answer.headers.get('content-type')]).toEqual([401, 'text/html; charset=utf-8'])
    expect(await answer.text()).toMatch(/\?token=/)
  }
})

it('serves the page with a fresh nonce each time and a policy that names it', async () => {
  const { visit, enter, port } = await servePage()
  const { cookie } = await enter()
  const pages = [await visit('/', { cookie }), await visit('/', { cookie: `a=b; ${cookie}; c=d` })]
  const nonces = await Promise.all(
    pages.map(async page => {
      const html = await page.text()
      const [, nonce] = /^<script nonce="([^"]+)"><\/script><style nonce="\1"><\/style>$/.exec(html)!
      const policy = page.headers.get('content-security-policy')!
      expect(policy).toContain(`script-src 'self' 'nonce-${nonce}'`)
      expect(policy).toContain(`ws://127.0.0.1:${port}`)
      expect(policy).toContain("default-src 'none'")
      expect(page.headers.get('cache-control')).toBe('no-store')
      return nonce
    }),
  )
  expect(nonces[0]).not.toBe(nonces[1])
})

it('lets the page call by its cookie, and no page of another port of this machine', async () => {
  const { visit, enter, url, port } = await servePage()
  const { cookie } = await enter()
  expect((await visit('/v1/echo?text=a', { cookie, 'sec-fetch-site': 'same-origin' })).status).toBe(200)
  expect((await visit('/v1/echo?text=a', { cookie, 'sec-fetch-site': 'same-site' })).status).toBe(401)
  expect((await visit('/v1/echo?text=a', { cookie, origin: 'http://localhost:1' })).status).toBe(403)
  expect((await visit('/v1/echo?text=a', { cookie, 'x-api-key': 'wrong' })).status).toBe(401)
  expect((await visit('/v1/echo?text=a', { cookie: cookie.replace(String(port), '1') })).status).toBe(401)
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/ws`, { headers: { cookie, origin: url } })
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  socket.terminate()
})

it('serves the files of the build, gzipped, hashed ones for good', async () => {
  const { visit, url } = await servePage()
  const hashed = await visit('/assets/index-B1c2D3e4.js')
  expect(await hashed.text()).toBe(script)
  expect(Object.fromEntries(hashed.headers)).toMatchObject({
    'content-type': 'text/javascript; charset=utf-8',
    'cache-control': 'public, max-age=31536000, immutable',
    'content-encoding': 'gzip',
    'x-content-type-options': 'nosniff',
    vary: 'Accept-Encoding',
  })
  const zipped = await new Promise<Buffer>((resolve, reject) => {
    get(`${url}/assets/index-B1c2D3e4.js`, { headers: { 'accept-encoding': 'gzip' } }, response => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => resolve(Buffer.concat(chunks)))
    }).on('error', reject)
  })
  expect(zipped.length).toBeLessThan(script.length / 10)
  expect(gunzipSync(zipped).toString()).toBe(script)
  const plain = await visit('/assets/index-B1c2D3e4.js', { 'accept-encoding': 'identity' })
  expect(plain.headers.has('content-encoding')).toBe(false)
  const icon = await visit('/icon.svg')
  expect([icon.headers.get('content-type'), icon.headers.get('cache-control')]).toEqual(['image/svg+xml', 'no-cache'])
})

it.each([
  '/../secret.txt',
  '/assets/../../secret.txt',
  '/..%2fsecret.txt',
  '/%2e%2e/secret.txt',
  '/assets/..%5c..%5csecret.txt',
])('has nothing at %s', async path => {
  const { port } = await servePage()
  const status = await new Promise<number>((resolve, reject) => {
    get({ host: '127.0.0.1', port, path }, response => resolve(response.resume().statusCode!)).on('error', reject)
  })
  expect(status).toBe(404)
})

it('does not serve the page raw', async () => {
  const { visit } = await servePage()
  expect((await visit('/index.html')).status).toBe(404)
})

it('does not start without a page where there should be one', async () => {
  await expect(serveSample({ rendererFolder: join(tmpdir(), 'k2-no-such-folder') })).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: expect.stringContaining('npm run build') as string,
  })
})

it('forgets a token after ten minutes', () => {
  let nowMs = 0
  const sessions = createSessions(() => nowMs)
  const [early, late] = [sessions.issueToken(), sessions.issueToken()]
  nowMs = 9 * 60_000
  expect(sessions.exchangeToken(early)).toBeDefined()
  nowMs = 10 * 60_000
  expect(sessions.exchangeToken(late)).toBeUndefined()
})

it('keeps a bounded number of tokens and sessions, the newest', () => {
  const sessions = createSessions(() => 0)
  const first = sessions.issueToken()
  for (let i = 0; i < 100; i++) sessions.issueToken()
  expect(sessions.exchangeToken(first)).toBeUndefined()
  const opened = Array.from({ length: 101 }, () => sessions.exchangeToken(sessions.issueToken())!)
  expect([sessions.has(opened[0]), sessions.has(opened[1]), sessions.has(opened[100])]).toEqual([false, true, true])
})
