// Files of a table in S3 or what speaks like it, with a cache of whole files on this machine.
import { readFile, rm, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { throwIfCancelled } from '../../base/cancelled.ts'
import { diskFailure } from './disk-failure.ts'
import type { FileIO, ListedFile, Range, StoredFiles } from './file-io.ts'
import { joinLocation, s3Key } from './location.ts'
import { openS3Cache, type S3Cache } from './s3-cache.ts'
import { createS3Client, type Attempt, type S3Server } from './s3-client.ts'
import { createS3Get } from './s3-get.ts'
import { createS3Put, sha256OfFile } from './s3-put.ts'

export interface S3Options extends S3Server {
  /** Made when missing; may be shared by several processes. Default: among the caches of this user. */
  cacheFolder?: string
  cacheBytes?: number
}

const CACHE_BYTES = 10 * 2 ** 30
/** Up to this a file is held in memory while it is written, and kept in the cache when it is read whole. */
const SMALL_BYTES = 8 << 20

function ownCache(): string {
  const { LOCALAPPDATA, XDG_CACHE_HOME } = process.env
  return join(LOCALAPPDATA ?? XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'k2', 's3')
}

export function s3Files({ cacheFolder = ownCache(), cacheBytes = CACHE_BYTES, ...server }: S3Options): FileIO {
  const client = createS3Client(server)
  const { read: get, download } = createS3Get(client)
  const { put } = createS3Put(client)
  let opening: Promise<S3Cache> | undefined

  function openCache(): Promise<S3Cache> {
    opening ??= openS3Cache(cacheFolder, cacheBytes).catch((error: unknown) => {
      opening = undefined
      throw error
    })
    return opening
  }

  const cacheKey = (location: string) => {
    const { bucket, key } = s3Key(location)
    return `${client.endpoint}/${bucket}/${key}`
  }

  async function read(location: string, range?: Range, signal?: AbortSignal) {
    throwIfCancelled(signal)
    // Without a cache it is slower, and no failure.
    const cache = await openCache().catch(() => undefined)
    const kept = await cache?.read(cacheKey(location))
    if (kept === undefined) {
      const bytes = await get(location, range, signal)
      if (range === undefined && bytes.length <= SMALL_BYTES) await cache?.keep(cacheKey(location), bytes)
      return bytes
    }
    if (range === undefined) return kept
    if (range.start + range.length <= kept.length) return kept.subarray(range.start, range.start + range.length)
    return get(location, range, signal)
  }

  async function write(location: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    throwIfCancelled(signal)
    await put(location, bytes, signal)
    const cache = await openCache().catch(() => undefined)
    if (bytes.length <= SMALL_BYTES) await cache?.keep(cacheKey(location), bytes)
  }

  async function adopt(path: string, location: string, signal?: AbortSignal): Promise<void> {
    try {
      throwIfCancelled(signal)
      const { size: bytes } = await stat(path)
      const body = bytes <= SMALL_BYTES ? await readFile(path) : { path, bytes, sha256: await sha256OfFile(path) }
      await put(location, body, signal)
      const cache = await openCache().catch(() => undefined)
      await cache?.keep(cacheKey(location), { path, bytes }) // likely to be read soon
    } catch (error) {
      throw diskFailure(error, path, `${location} was not written.`)
    } finally {
      await rm(path, { force: true })
    }
  }

  async function open(location: string, signal?: AbortSignal) {
    throwIfCancelled(signal)
    const cache = await openCache()
    return cache.open(cacheKey(location), (draft, signal) => download(location, draft, signal), signal)
  }

  const stored: StoredFiles = {
    read: get,
    async open(location, signal) {
      throwIfCancelled(signal)
      const cache = await openCache()
      return cache.openApart(cacheKey(location), draft => download(location, draft, signal))
    },
    async size(location, signal) {
      throwIfCancelled(signal)
      const { bucket: Bucket, key: Key } = s3Key(location)
      const head: Attempt<number> = async (s3, sdk, abortSignal) =>
        (await s3.send(new sdk.HeadObjectCommand({ Bucket, Key }), { abortSignal })).ContentLength ?? 0
      return client.send(location, '', head, signal)
    },
  }

  async function remove(location: string): Promise<void> {
    const { bucket: Bucket, key: Key } = s3Key(location)
    await client.send(location, 'It may still be there.', (s3, sdk) =>
      s3.send(new sdk.DeleteObjectCommand({ Bucket, Key })),
    )
    const cache = await openCache().catch(() => undefined)
    await cache?.drop(cacheKey(location))
  }

  async function* list(folder: string): AsyncIterable<ListedFile> {
    const { bucket: Bucket, key } = s3Key(folder)
    const Prefix = key === '' || key.endsWith('/') ? key : `${key}/`
    let ContinuationToken: string | undefined
    do {
      const page = await client.send(folder, '', (s3, sdk) =>
        s3.send(new sdk.ListObjectsV2Command({ Bucket, Prefix, ContinuationToken })),
      )
      for (const { Key = '', Size = 0, LastModified } of page.Contents ?? []) {
        if (Key.endsWith('/')) continue // what some tools make to look like a folder
        const modifiedMs = LastModified?.getTime() ?? 0
        yield { location: joinLocation(folder, Key.slice(Prefix.length)), bytes: Size, modifiedMs }
      }
      ContinuationToken = page.IsTruncated === true ? page.NextContinuationToken : undefined
    } while (ContinuationToken !== undefined)
  }

  async function close(): Promise<void> {
    await (await opening?.catch(() => undefined))?.close()
    opening = undefined
    await client.close()
  }

  const draftPath = async () => (await openCache()).draftPath()
  return { read, write, adopt, draftPath, open, remove, list, close, stored }
}
