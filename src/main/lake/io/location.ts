// What a location in table metadata means: a path on this machine, or a key in a bucket.
// Locations are literal, as Iceberg's writers mean them: `%20` is three characters of a name, never a space.
import { isAbsolute } from 'node:path'
import { Failure } from '../../../contract/failure.ts'

export type Place = { kind: 'file'; path: string } | { kind: 's3'; bucket: string; key: string }

const SCHEME = /^([a-z][a-z0-9+.-]+):/i
const BUCKET = /^[a-z0-9][a-z0-9._-]{1,254}$/i

/** `file:///a`, `file:/a`, `file://localhost/a`, absolute paths, and `s3://bucket/key`, also written s3a or s3n. */
export function parseLocation(location: string, platform: NodeJS.Platform = process.platform): Place {
  if (location.includes('\0')) throw notUnderstood(location.replaceAll('\0', '\\0'), 'a name cannot hold a zero byte')
  const scheme = SCHEME.exec(location)?.[1].toLowerCase()
  if (scheme === undefined) return { kind: 'file', path: absolute(location, location, platform) }
  const rest = location.slice(scheme.length + 1)
  if (scheme === 'file') return { kind: 'file', path: absolute(filePath(rest, location, platform), location, platform) }
  if (/^s3[an]?$/.test(scheme)) return s3Place(rest, location)
  throw notUnderstood(location, `K2 keeps files in folders (file:) and in S3 (s3:), not in ${scheme}:`)
}

/** One text for each file, however its location was written, so that locations of several writers can be compared. */
export function canonicalLocation(location: string): string {
  const place = parseLocation(location)
  if (place.kind === 's3') return `s3://${place.bucket}/${place.key}`
  const path = place.path.replace(/\/{2,}/g, '/')
  return path.startsWith('/') ? `file://${path}` : `file:///${path.replaceAll('\\', '/')}`
}

/** A place below a folder, in the folder's own way of writing. */
export function joinLocation(folder: string, ...names: readonly string[]): string {
  return [folder.replace(/\/+$/, ''), ...names].join('/')
}

/** The path of a file's location; S3 is refused by name. */
export function localPath(location: string): string {
  const place = parseLocation(location)
  if (place.kind === 'file') return place.path
  throw notUnderstood(location, 'it is in S3, and no S3 server is configured')
}

/** Bucket and key of an S3 location; a local one is refused by name. */
export function s3Key(location: string): { bucket: string; key: string } {
  const place = parseLocation(location)
  if (place.kind === 's3') return place
  throw notUnderstood(location, 'it is a local path, where only s3://bucket/key is meant')
}

function filePath(rest: string, location: string, platform: NodeJS.Platform): string {
  const [, host, path] = /^\/\/([^/]*)(.*)$/.exec(rest) ?? ['', '', rest]
  if (host !== '' && host !== 'localhost') throw notUnderstood(location, `it names the machine ${host}`)
  return platform === 'win32' ? path.replace(/^\/(?=[A-Za-z]:)/, '') : path
}

function absolute(path: string, location: string, platform: NodeJS.Platform): string {
  if (platform === 'win32' ? /^([A-Za-z]:[\\/]|\\\\)/.test(path) : isAbsolute(path)) return path
  throw notUnderstood(location, 'it is no absolute path')
}

function s3Place(rest: string, location: string): Place {
  const [, bucket, key] = /^\/\/([^/]+)\/?(.*)$/s.exec(rest) ?? []
  if (bucket === undefined || !BUCKET.test(bucket)) throw notUnderstood(location, 'it names no bucket')
  return { kind: 's3', bucket, key }
}

function notUnderstood(location: string, why: string): Failure {
  return new Failure(
    'INVALID_INPUT',
    `The location ${location} cannot be used: ${why}. Write file:///folder/file, an absolute path or s3://bucket/key.`,
    { details: { location } },
  )
}
