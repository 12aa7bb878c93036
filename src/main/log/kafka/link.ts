// One connection to one broker: kafkajs' own below (sockets, TLS, SASL, matching answers to requests), our requests on it.
// A request without an answer in time counts as a lost connection: it closes, and everything on it fails.
import { connect as connectPlain, isIP } from 'node:net'
import { connect as connectTls } from 'node:tls'
import Connection from 'kafkajs/src/network/connection.js'
import { Failure } from '../../../contract/failure.ts'
import { deferred } from '../../base/deferred.ts'
import { createFrames } from './frames.ts'
import { asFailure, lost, MAY_WANT_TLS, NO_TLS_THERE, notKafka, otherProtocol, wasCutOff } from './link-failure.ts'
import './patch-kafkajs.ts'
import { API, apiVersions, NEEDED, type ApiVersions, type KafkaRequest } from './request.ts'
import { readWire, writeWire } from './wire.ts'

export interface KafkaAccess {
  clientId: string
  ssl: { ca?: string; cert?: string; key?: string } | false
  sasl?: { mechanism: string; username: string; password: string }
  /** Without an answer for so long, a connection is given up. */
  answerMs: number
}

export interface Link {
  readonly address: string
  readonly versions: ApiVersions
  isOpen: () => boolean
  /** UNAVAILABLE when the connection is lost, TIMEOUT when the broker does not answer. */
  send: <T>(request: KafkaRequest<T>) => Promise<T>
  close: () => void
}

const CONNECT_MS = 10_000
/** Read at once, into the same memory each time: a buffer for each read keeps the garbage collector busy. */
const READ_BYTES = 256 * 1024
/** kafkajs asks for both, but its own checking of them is off: it would wake ten times a second for every connection. */
const NEVER_MS = 2 ** 31 - 1
const silent = { namespace: () => silent, error() {}, warn() {}, info() {}, debug() {} }

export async function openLink(address: string, access: KafkaAccess, signal?: AbortSignal): Promise<Link> {
  const { host, port } = splitAddress(address)
  const { ssl, sasl, clientId, answerMs } = access
  const connection = new Connection({
    host,
    port,
    clientId,
    logger: silent,
    // Its own copy: kafkajs keeps state in it.
    ...(sasl && { sasl: { ...sasl } }),
    ...(ssl && { ssl: Object.fromEntries(Object.entries(ssl).filter(([, value]) => value !== undefined)) }),
    requestTimeout: NEVER_MS,
    connectionTimeout: CONNECT_MS,
    enforceRequestTimeout: false,
    socketFactory({ host, port, ssl, onConnect: onReady }) {
      const onConnect = () => {
        isReady = true
        onReady()
      }
      const socket = ssl
        ? connectTls({ host, port, ...(isIP(host) ? {} : { servername: host }), ...ssl }, onConnect)
        : connectPlain(
            { host, port, onread: { buffer: Buffer.allocUnsafeSlow(READ_BYTES), callback: onRead } },
            onConnect,
          )
      socket.setKeepAlive(true, 60_000)
      socket.setNoDelay(true)
      socket.once('error', (error: NodeJS.ErrnoException) =>
        close(wasCutOff(error) ? lost(address, whyClosed()) : asFailure(error, address, access)),
      )
      socket.once('close', () => close(lost(address, whyClosed())))
      return socket
    },
  })
  function onRead(count: number, buffer: Uint8Array): boolean {
    connection.processData(buffer.subarray(0, count))
    return true
  }
  const frames = createFrames(frame =>
    connection.requestQueue.fulfillRequest({
      size: frame.length,
      correlationId: frame.readInt32BE(0),
      payload: frame.subarray(4),
    }),
  )
  connection.processData = data => {
    const other = answers === 0 ? otherProtocol(data) : undefined
    if (other !== undefined) return close(lost(address, other))
    try {
      frames.push(data)
    } catch (error) {
      close(lost(address, notKafka((error as Error).message)))
    }
  }
  let closedBy: Failure | undefined
  let isReady = false
  let answers = 0

  /** A broker says no word when it expected TLS, or none, or a login: it closes. */
  function whyClosed(): string {
    if (ssl && !isReady) return NO_TLS_THERE
    if (answers === 0 && !ssl) return `it closed the connection before it said anything; it ${MAY_WANT_TLS}`
    if (answers === 1 && !sasl)
      return 'it closed the connection at the first request; it may want a user (K2_KAFKA_SASL_MECHANISM)'
    return 'the connection was closed'
  }
  /** Ends what is under way; kafkajs would not know of all of it. */
  const underWay = new Set<(why: Failure) => void>()

  function close(why: Failure): void {
    if (closedBy) return
    closedBy = why
    connection.rejectRequests(why)
    connection.socket?.destroy()
    for (const end of underWay) end(why)
  }

  /** Until it is done, the link closed, or time is over. */
  async function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
    const cut = deferred<never>()
    const timer = setTimeout(
      () => close(new Failure('TIMEOUT', `Kafka at ${address} did not answer ${what} within ${ms / 1000} s.`)),
      ms,
    )
    underWay.add(cut.reject)
    try {
      return await Promise.race([work, cut.promise])
    } catch (error) {
      if ((error as Error).name === 'KafkaJSConnectionClosedError') close(lost(address, whyClosed()))
      throw closedBy ?? asFailure(error, address, access)
    } finally {
      clearTimeout(timer)
      underWay.delete(cut.reject)
    }
  }

  function send<T>({ name, apiKey, version, flexible, waitMs = 0, encode, decode }: KafkaRequest<T>): Promise<T> {
    if (closedBy) return Promise.reject(closedBy)
    const writer = writeWire(flexible)
    encode(writer)
    const buffer = writer.finish()
    const sent = connection.send<T>({
      request: {
        apiKey,
        apiVersion: version,
        apiName: name,
        encode: () => Promise.resolve({ buf: buffer, buffer }),
      },
      response: {
        decode: payload => Promise.resolve({ payload }),
        parse: async ({ payload }) => {
          answers++
          return decode(readWire(payload, flexible))
        },
      },
      logResponseError: false,
    })
    return within(answerMs + waitMs, name, sent)
  }

  const abort = () => close(new Failure('CANCELLED', 'Connecting to Kafka was given up.'))
  signal?.addEventListener('abort', abort, { once: true })
  try {
    if (signal?.aborted) abort()
    else await within(CONNECT_MS, 'the call', connection.connect())
    const versions = await send(apiVersions)
    checkVersions(versions, address)
    connection.setVersions(versions)
    connection.setSupportAuthenticationProtocol(API.saslAuthenticate in versions)
    await within(answerMs, 'the login', connection.authenticate())
    return {
      address,
      versions,
      isOpen: () => closedBy === undefined,
      send,
      close: () => close(lost(address, 'it was closed here')),
    }
  } catch (error) {
    const failure = error as Failure
    close(failure)
    throw failure
  } finally {
    signal?.removeEventListener('abort', abort)
  }
}

function splitAddress(address: string): { host: string; port: number } {
  const at = address.lastIndexOf(':')
  const port = Number(address.slice(at + 1))
  if (at < 1 || !Number.isInteger(port) || port < 1 || port > 65_535)
    throw new Failure(
      'INVALID_INPUT',
      `${address} is no address of a Kafka broker; it must be host:port (K2_KAFKA_BROKERS).`,
    )
  return { host: address.slice(0, at).replace(/^\[(.*)\]$/, '$1'), port }
}

function checkVersions(versions: ApiVersions, address: string): void {
  for (const [key, needed] of Object.entries(NEEDED)) {
    const range = versions[Number(key)]
    if (range && range.maxVersion >= needed && range.minVersion <= needed) continue
    const message = `Kafka at ${address} does not speak version ${needed} of request ${key}; K2 needs Kafka 2.4 or newer.`
    throw new Failure('UNAVAILABLE', message, { retryable: false })
  }
}
