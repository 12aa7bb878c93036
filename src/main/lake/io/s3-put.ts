// Writes a file to S3 once: never over another, and known to be ours when the answer to an earlier try was lost.
import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import type { PutObjectCommand, S3Client as SdkClient } from '@aws-sdk/client-s3'
import { Failure } from '../../../contract/failure.ts'
import { alreadyThere } from './disk-failure.ts'
import { s3Key } from './location.ts'
import type { S3Client, Sdk } from './s3-client.ts'
import { isUnanswered, s3Code, s3Status } from './s3-errors.ts'

/** Bytes, or a file that is read again from its start for each try. */
export type PutBody = Uint8Array | { path: string; bytes: number; sha256: string }

/** Names each write, so that a later look can tell whose file it is. */
const WRITE_ID = 'k2-write'
const UNKNOWN = 'Whether it was written is not known; it is in no snapshot.'

export interface S3Put {
  put: (location: string, body: PutBody, signal?: AbortSignal) => Promise<void>
}

export function createS3Put({ send }: S3Client): S3Put {
  /** Servers that do not know If-None-Match say so with 501; then a look comes first, which two writers could share. */
  let conditional = true

  async function put(location: string, body: PutBody, signal?: AbortSignal): Promise<void> {
    const { bucket: Bucket, key: Key } = s3Key(location)
    const writeId = randomUUID()
    let mayBeThere = false
    const attempt = () =>
      send(
        location,
        UNKNOWN,
        async (client, sdk, signal) => {
          if (!conditional && (await head(client, sdk, location, signal)) !== undefined) throw preconditionFailed()
          const stream = body instanceof Uint8Array ? undefined : createReadStream(body.path)
          const command = new sdk.PutObjectCommand({
            Bucket,
            Key,
            Body: stream ?? (body as Uint8Array),
            ContentLength: body instanceof Uint8Array ? body.length : body.bytes,
            Metadata: { [WRITE_ID]: writeId },
            ...(conditional ? { IfNoneMatch: '*' } : {}),
          })
          if (!(body instanceof Uint8Array)) signPayload(command, body.sha256)
          try {
            await client.send(command, { abortSignal: signal })
          } catch (error) {
            mayBeThere ||= isUnanswered(error)
            throw error
          } finally {
            stream?.destroy()
          }
        },
        signal,
      )
    try {
      await attempt().catch(async (error: unknown) => {
        if (!conditional || !(error instanceof Failure) || s3Status(error.cause) !== 501) throw error
        conditional = false
        await attempt()
      })
    } catch (error) {
      if (!isPreconditionFailed(error)) throw error
      if (!mayBeThere || !(await isOurs(location, writeId, body, signal))) throw alreadyThere(location)
    }
  }

  async function isOurs(location: string, writeId: string, body: PutBody, signal?: AbortSignal): Promise<boolean> {
    const there = await send(location, UNKNOWN, (client, sdk, signal) => head(client, sdk, location, signal), signal)
    const known = there?.Metadata?.[WRITE_ID]
    if (known !== undefined) return known === writeId
    // A server that keeps no metadata: the same content is as good.
    const bytes = body instanceof Uint8Array ? body.length : body.bytes
    if (there?.ContentLength !== bytes) return false
    const sha256 = body instanceof Uint8Array ? createHash('sha256').update(body).digest('hex') : body.sha256
    return (await hashOf(location, signal)) === sha256
  }

  async function hashOf(location: string, signal?: AbortSignal): Promise<string> {
    const { bucket: Bucket, key: Key } = s3Key(location)
    return send(
      location,
      UNKNOWN,
      async (client, sdk, signal) => {
        const { Body } = await client.send(new sdk.GetObjectCommand({ Bucket, Key }), { abortSignal: signal })
        const hash = createHash('sha256')
        for await (const chunk of Body as unknown as AsyncIterable<Uint8Array>) hash.update(chunk)
        return hash.digest('hex')
      },
      signal,
    )
  }

  return { put }
}

async function head(client: SdkClient, sdk: Sdk, location: string, signal: AbortSignal | undefined) {
  const { bucket: Bucket, key: Key } = s3Key(location)
  try {
    return await client.send(new sdk.HeadObjectCommand({ Bucket, Key }), { abortSignal: signal })
  } catch (error) {
    if (s3Status(error) === 404) return undefined
    throw error
  }
}

export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

/** A stream is not hashed by the SDK, so the signature covers a hash made beforehand, which the server then checks. */
function signPayload(command: PutObjectCommand, sha256: string): void {
  command.middlewareStack.add(
    next => args => {
      ;(args.request as { headers: Record<string, string> }).headers['x-amz-content-sha256'] = sha256
      return next(args)
    },
    { step: 'build', name: 'signPayload' },
  )
}

const preconditionFailed = () =>
  Object.assign(new Error('It is there.'), { name: 'PreconditionFailed', $metadata: { httpStatusCode: 412 } })

function isPreconditionFailed(error: unknown): boolean {
  const { cause } = error as { cause?: unknown }
  return s3Status(cause) === 412 || s3Code(cause) === 'PreconditionFailed'
}
