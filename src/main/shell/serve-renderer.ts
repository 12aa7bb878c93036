// Answers app://k2/… from the renderer's build and from nowhere else. Knows no Electron, so that it can be tested as it is.
import { randomBytes } from 'node:crypto'
import { promises as fs } from 'node:fs'
import { extname, resolve, sep } from 'node:path'
import { contentSecurityPolicy } from '../wire/csp.ts'
import { isOwn, ORIGIN } from './origin.ts'

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
}

/** Stands in the built index.html wherever a nonce belongs. */
const NONCE_PLACEHOLDER = /__NONCE__/g

export function serveRenderer(root: string): (request: { url: string; method: string }) => Promise<Response> {
  return async ({ url, method }) => {
    const nonce = randomBytes(16).toString('base64')
    const answer = (status: number, body: string | Buffer<ArrayBuffer>, type = 'text/plain; charset=utf-8') =>
      new Response(body, {
        status,
        headers: {
          'content-type': type,
          'content-security-policy': contentSecurityPolicy(nonce, ["'self'"]),
          'x-content-type-options': 'nosniff',
        },
      })
    if (method !== 'GET') return answer(405, 'Only GET.')
    const file = isOwn(url, ORIGIN) ? fileOf(root, url) : undefined
    if (!file) return answer(403, 'Not a part of K2.')
    try {
      const bytes = await fs.readFile(file)
      const extension = extname(file)
      const body = extension === '.html' ? bytes.toString('utf8').replace(NONCE_PLACEHOLDER, nonce) : bytes
      return answer(200, body, types[extension] ?? 'application/octet-stream')
    } catch {
      return answer(404, 'There is no such file.')
    }
  }
}

/** The file an address names; undefined when that is outside of `root`, however it is written. */
export function fileOf(root: string, url: string): string | undefined {
  const { pathname } = new URL(url)
  let path: string
  try {
    path = decodeURIComponent(pathname)
  } catch {
    return undefined
  }
  if (path.includes('\0')) return undefined
  const file = resolve(root, path === '/' ? 'index.html' : `.${path}`)
  return file.startsWith(root + sep) ? file : undefined
}
