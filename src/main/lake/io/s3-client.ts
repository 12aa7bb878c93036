// The way to an S3 server: connections, keys, and tries that are repeated while the failure may pass by itself.
import { readFile } from 'node:fs/promises'
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import type * as SdkModule from '@aws-sdk/client-s3'
import { diskFailure } from './disk-failure.ts'
import { createGate } from './gate.ts'
import { s3Key } from './location.ts'
import { isSkewed, isStaleKey, isTransient, s3Failure } from './s3-errors.ts'

export interface S3Keys {
  accessKeyId: string
  secretAccessKey: string
  sessionToken?: string
  /** They are asked for anew a minute before, at most once in half of their time. */
  expiresAtMs?: number
}

export interface S3Server {
  /** Without one, AWS's own for the region. */
  endpoint?: string
  region?: string
  /** `endpoint/bucket/key`, not `bucket.endpoint/key`. Default: with an endpoint of one's own. */
  pathStyle?: boolean
  /** Fixed, or asked for when needed, as a catalog that vends them does. Default: where AWS's tools look. */
  credentials?: S3Keys | (() => Promise<S3Keys>)
  /** PEM of an authority that signed the server's certificate. */
  caFile?: string
  maxConnections?: number
  /** Of one operation, the first one included. */
  attempts?: number
  /** A connection on which nothing moves for so long is given up. */
  timeoutMs?: number
  /** For tests: how far this machine's clock is behind. */
  clockOffsetMs?: number
}

export type Sdk = typeof SdkModule

/** One try; what it throws is judged by `isTransient`. */
export type Attempt<T> = (client: SdkModule.S3Client, sdk: Sdk, signal: AbortSignal | undefined) => Promise<T>

export interface S3Client {
  endpoint: string
  send: <T>(location: string, left: string, attempt: Attempt<T>, signal?: AbortSignal) => Promise<T>
  close: () => Promise<void>
}

const ignore = () => {}

const CONNECT_MS = 5_000
const FIRST_WAIT_MS = 50
const LONGEST_WAIT_MS = 5_000
const RENEW_EARLY_MS = 60_000

export function createS3Client(server: S3Server): S3Client {
  const { attempts = 6, maxConnections = 32, timeoutMs = 20_000 } = server
  // A setting that is not given comes as an empty text too.
  const region = server.region || 'us-east-1'
  const ownEndpoint = server.endpoint || undefined
  const endpoint = ownEndpoint ?? `https://s3.${region}.amazonaws.com`
  const gate = createGate(maxConnections)
  const keys = renewedKeys(server.credentials)
  let opening: Promise<{ client: SdkModule.S3Client; sdk: Sdk; end: () => void }> | undefined

  // Loaded when it is first needed: a lake in a folder never pays for it.
  async function open() {
    const ca = server.caFile === undefined ? undefined : await readCertificates(server.caFile)
    // Its advice to take a newer Node is for us, not for who runs K2.
    process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true'
    const sdk = await import('@aws-sdk/client-s3')
    const httpAgent = new HttpAgent({ keepAlive: true, maxSockets: maxConnections })
    const httpsAgent = new HttpsAgent({ keepAlive: true, maxSockets: maxConnections, ca })
    const client = new sdk.S3Client({
      region,
      endpoint: ownEndpoint,
      forcePathStyle: server.pathStyle ?? ownEndpoint !== undefined,
      credentials: keys?.current,
      maxAttempts: 1, // tries are repeated here, where a body can be read again from its start
      requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout: timeoutMs, httpAgent, httpsAgent },
      // Not every server knows trailing checksums; every one checks the payload's SHA-256 that the signature covers.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      expectContinueHeader: false, // would open a connection of its own for each file
      logger: { debug: ignore, info: ignore, warn: ignore, error: ignore }, // what matters comes as a Failure
      systemClockOffset: server.clockOffsetMs ?? 0,
    })
    const end = () => {
      client.destroy()
      httpAgent.destroy()
      httpsAgent.destroy()
    }
    return { client, sdk, end }
  }

  async function send<T>(location: string, left: string, attempt: Attempt<T>, signal?: AbortSignal): Promise<T> {
    const { bucket } = s3Key(location)
    for (let n = 1; ; n++) {
      try {
        const { client, sdk } = await (opening ??= open())
        return await gate(() => attempt(client, sdk, signal), signal)
      } catch (error) {
        const canPass =
          isTransient(error) || (n === 1 && (isSkewed(error) || (isStaleKey(error) && keys?.renew() === true)))
        if (signal?.aborted || n === attempts || !canPass)
          throw s3Failure(error, { location, bucket, endpoint, region, left, attempts: n }, signal)
      }
      const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (n - 1))
      await sleep(longest * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => undefined)
    }
  }

  async function close(): Promise<void> {
    const opened = await opening?.catch(() => undefined)
    opened?.end()
    opening = undefined
  }

  return { endpoint, send, close }
}

/** The SDK would keep keys without an expiry for ever; so they pass as expired and are kept here, where they can be renewed. */
function renewedKeys(credentials: S3Server['credentials']) {
  if (credentials === undefined) return undefined
  let known: Promise<S3Keys> | undefined
  let renewAtMs = Infinity
  async function ask(): Promise<S3Keys> {
    const askedMs = Date.now()
    const keys = typeof credentials === 'function' ? await credentials() : credentials!
    const { expiresAtMs = Infinity } = keys
    // Not before half of their time, or keys that live a minute would be asked for at every request.
    renewAtMs = Math.max(expiresAtMs - RENEW_EARLY_MS, (askedMs + expiresAtMs) / 2)
    return keys
  }
  return {
    current: async () => {
      if (Date.now() > renewAtMs) known = undefined
      known ??= ask().catch((error: unknown) => {
        known = undefined
        throw error
      })
      const { accessKeyId, secretAccessKey, sessionToken } = await known
      return { accessKeyId, secretAccessKey, sessionToken, expiration: new Date(0) }
    },
    /** False when there is nobody to ask. */
    renew: (): boolean => {
      known = undefined
      return typeof credentials === 'function'
    },
  }
}

async function readCertificates(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw diskFailure(error, path, 'It was to hold the authority of the S3 server.')
  }
}
