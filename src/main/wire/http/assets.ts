// The files of the page's build, read once: which there are, their types, how long they may be kept, and gzipped.
import { readdir, readFile } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

export interface Asset {
  /** As the page asks for it, from the root. */
  path: string
  type: string
  bytes: Buffer
  /** Absent where it would not be smaller. */
  gzipped?: Buffer
  /** Its name has a hash of its content, so that it never changes. */
  immutable: boolean
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
}
const TEXT = /^(text|application\/json|image\/svg)/

export async function readAssets(folder: string): Promise<Asset[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name))
  return Promise.all(files.map(file => readAsset(folder, file)))
}

async function readAsset(folder: string, file: string): Promise<Asset> {
  const path = `/${relative(folder, file).split(sep).join('/')}`
  const type = types[extname(file)] ?? 'application/octet-stream'
  const bytes = await readFile(file)
  const gzipped = TEXT.test(type) ? await promisify(gzip)(bytes) : undefined
  const immutable = /^\/assets\/.+-[\w-]{8,}\.\w+$/.test(path)
  return { path, type, bytes, gzipped: gzipped && gzipped.length < bytes.length ? gzipped : undefined, immutable }
}
