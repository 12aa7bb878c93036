// Reads files of S3: whole, by range, or into a local file in parts that are fetched side by side.
import { open, type FileHandle } from 'node:fs/promises'
import type { GetObjectCommandOutput, S3Client as SdkClient } from '@aws-sdk/client-s3'
import { diskFailure, endsBefore } from './disk-failure.ts'
import { s3Key } from './location.ts'
import type { S3Client, Sdk } from './s3-client.ts'
import { s3Status } from './s3-errors.ts'
import type { Range } from './file-io.ts'

export interface S3Get {
  read: (location: string, range?: Range, signal?: AbortSignal) => Promise<Uint8Array>
  /** Fills a new local file, and gives its length. */
  download: (location: string, path: string, signal?: AbortSignal) => Promise<number>
}

/** One request fetches so much; what is larger is fetched by several at once. */
const PART_BYTES = 16 << 20
const PARTS_AT_ONCE = 4

/** The answer was shorter than it said: the connection broke, so the try is repeated. */
const cutOff = () => Object.assign(new Error('The answer was cut off.'), { code: 'ECONNRESET' })

export function createS3Get({ send }: S3Client): S3Get {
  async function read(location: string, range?: Range, signal?: AbortSignal) {
    const { bucket: Bucket, key: Key } = s3Key(location)
    const end = range && range.start + range.length
    if (end !== undefined && range!.length === 0) {
      const bytes = await send(location, '', (client, sdk, signal) => sizeOf(client, sdk, location, signal), signal)
      if (end > bytes) throw endsBefore(location, bytes, end)
      return new Uint8Array(0)
    }
    const Range = range && `bytes=${range.start}-${end! - 1}`
    return send(
      location,
      '',
      async (client, sdk, signal) => {
        const found = await get(() =>
          client.send(new sdk.GetObjectCommand({ Bucket, Key, Range }), { abortSignal: signal }),
        )
        const total = found === undefined ? await sizeOf(client, sdk, location, signal) : totalOf(found)
        if (found === undefined || (end !== undefined && end > total)) {
          destroy(found)
          throw endsBefore(location, total, end ?? 0)
        }
        const bytes = await found.Body!.transformToByteArray()
        if (bytes.length !== (found.ContentLength ?? bytes.length)) throw cutOff()
        // A server that does not know ranges sends the whole file.
        return range && found.ContentRange === undefined ? bytes.subarray(range.start, end) : bytes
      },
      signal,
    )
  }

  async function download(location: string, path: string, signal?: AbortSignal): Promise<number> {
    const file = await open(path, 'wx', 0o600)
    const stopped = new AbortController()
    const either = signal === undefined ? stopped.signal : AbortSignal.any([signal, stopped.signal])
    const { bucket: Bucket, key: Key } = s3Key(location)

    const fetchPart = (start: number, IfMatch?: string) =>
      send(
        location,
        '',
        async (client, sdk, signal) => {
          const input = { Bucket, Key, IfMatch, Range: `bytes=${start}-${start + PART_BYTES - 1}` }
          const found = await get(() => client.send(new sdk.GetObjectCommand(input), { abortSignal: signal }))
          if (found === undefined) return { total: await sizeOf(client, sdk, location, signal), etag: undefined }
          let at = start
          for await (const chunk of found.Body as unknown as AsyncIterable<Uint8Array>) {
            await writeAt(file, chunk, at, path)
            at += chunk.length
          }
          if (at - start !== (found.ContentLength ?? at - start)) throw cutOff()
          return { total: totalOf(found), etag: found.ETag, isWhole: found.ContentRange === undefined }
        },
        either,
      )

    try {
      const { total, etag, isWhole } = await fetchPart(0)
      const starts: number[] = []
      for (let start = PART_BYTES; start < total && isWhole !== true; start += PART_BYTES) starts.push(start)
      const workers = Array.from({ length: Math.min(PARTS_AT_ONCE, starts.length) }, async () => {
        for (let start = starts.shift(); start !== undefined; start = starts.shift()) await fetchPart(start, etag)
      })
      try {
        await Promise.all(workers)
      } finally {
        stopped.abort()
        await Promise.allSettled(workers)
      }
      const { size } = await file.stat()
      if (size !== total) throw endsBefore(location, size, total)
      return total
    } finally {
      await file.close()
    }
  }

  return { read, download }
}

/** Within a try, so that it needs no place of its own among the connections. */
async function sizeOf(client: SdkClient, sdk: Sdk, location: string, signal: AbortSignal | undefined): Promise<number> {
  const { bucket: Bucket, key: Key } = s3Key(location)
  const found = await client.send(new sdk.HeadObjectCommand({ Bucket, Key }), { abortSignal: signal })
  return found.ContentLength ?? 0
}

/** A full disk is no failure of the server, so it is told apart here. */
async function writeAt(file: FileHandle, bytes: Uint8Array, at: number, path: string): Promise<void> {
  try {
    await file.write(bytes, 0, bytes.length, at)
  } catch (error) {
    throw diskFailure(error, path, '')
  }
}

/** Nothing when the range begins at or behind the end, as every range of an empty file does. */
async function get(request: () => Promise<GetObjectCommandOutput>): Promise<GetObjectCommandOutput | undefined> {
  try {
    return await request()
  } catch (error) {
    if (s3Status(error) === 416) return undefined
    throw error
  }
}

function totalOf({ ContentRange, ContentLength }: GetObjectCommandOutput): number {
  const total = /\/(\d+)$/.exec(ContentRange ?? '')?.[1]
  return total === undefined ? (ContentLength ?? 0) : Number(total)
}

function destroy(found: GetObjectCommandOutput | undefined): void {
  ;(found?.Body as { destroy?: () => void } | undefined)?.destroy?.()
}
