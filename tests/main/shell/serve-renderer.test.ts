// app://k2/ over a real folder: the build is served with its policy, everything around it is not.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { fileOf, serveRenderer } from '../../../src/main/shell/serve-renderer.ts'

function newRenderer() {
  const folder = mkdtempSync(join(tmpdir(), 'k2-renderer-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const root = join(folder, 'renderer')
  mkdirSync(join(root, 'assets'), { recursive: true })
  writeFileSync(join(folder, 'secret.txt'), 'secret')
  mkdirSync(join(folder, 'renderer-old'))
  writeFileSync(join(folder, 'renderer-old/a.js'), 'secret')
  writeFileSync(join(root, 'index.html'), '<script nonce="__NONCE__"></script><style nonce="__NONCE__"></style>')
  writeFileSync(join(root, 'assets/a b.js'), '"__NONCE__"')
  const serve = serveRenderer(root)
  return { root, get: (path: string, method = 'GET') => serve({ url: `app://k2${path}`, method }), serve }
}

it('serves the page with a nonce of its own each time, in its policy and wherever the page asks for it', async () => {
  const { get } = newRenderer()
  const pages = await Promise.all([get('/'), get('/index.html')])
  const nonces = pages.map(
    page => /script-src 'self' 'nonce-([^']+)'/.exec(page.headers.get('content-security-policy')!)![1],
  )
  expect(new Set(nonces).size).toBe(2)
  expect(nonces[0]).toMatch(/^[A-Za-z0-9+/]{22}==$/)
  expect(await pages[0].text()).toBe(`<script nonce="${nonces[0]}"></script><style nonce="${nonces[0]}"></style>`)
  expect(pages[0].headers.get('content-type')).toBe('text/html; charset=utf-8')
})

it('serves other files byte by byte, with their type and without sniffing', async () => {
  const script = await newRenderer().get('/assets/a%20b.js?v=1')
  expect(script.status).toBe(200)
  expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
  expect(script.headers.get('x-content-type-options')).toBe('nosniff')
  expect(await script.text()).toBe('"__NONCE__"')
})

it.each(['/nope.js', '/assets', '/assets/', '/index.html/x'])('answers 404 to %s', async path => {
  const answer = await newRenderer().get(path)
  expect(answer.status).toBe(404)
  expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'")
})

it.each([
  '/..%2fsecret.txt',
  '/%2e%2e%2fsecret.txt',
  '/assets/..%2f..%2fsecret.txt',
  '/..%2frenderer-old/a.js',
  '/%00',
  '/%ff',
])('refuses %s', async path => {
  const answer = await newRenderer().get(path)
  expect(answer.status).toBe(403)
  expect(await answer.text()).not.toContain('secret')
})

it('never names a file outside of its folder', () => {
  const { root } = newRenderer()
  for (const path of ['/../secret.txt', '/%2e%2e/secret.txt', '/..', '//etc/passwd', '/.', '/a/../../..'])
    expect(fileOf(root, `app://k2${path}`) ?? root).toContain(root)
})

it('serves no other host and no other method', async () => {
  const { serve, get } = newRenderer()
  expect((await serve({ url: 'app://elsewhere/index.html', method: 'GET' })).status).toBe(403)
  expect((await get('/', 'POST')).status).toBe(405)
})
