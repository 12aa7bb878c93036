// Calls to a Schema Registry of one or more nodes: the first that is well is asked, the next one when it fails, and the first
// again a while later. Every call here may be sent twice without harm.
import { Failure } from '../../../contract/failure.ts'
import { openHttp, type HttpAnswer, type HttpCall } from '../../base/http.ts'
import { maskSecrets } from '../../base/mask.ts'
import { retry, type RetryOptions } from '../../base/retry.ts'
import { unreachable } from '../../base/unreachable.ts'
import { isNodeTrouble, registryFailure, strangeAnswer } from './answers.ts'

export type RegistryAuth = { user: string; password: string } | { token: string }

export interface NodesOptions {
  /** In the order in which they are asked. */
  urls: readonly string[]
  auth?: RegistryAuth
  /** Trusted in the place of the well-known authorities, PEM. */
  ca?: string
  /** Until a node that accepts a call and says nothing counts as failing. */
  timeoutMs?: number
  clock?: { nowMs: () => number }
  onEvent?: (event: RegistryEvent) => void
  /** Of all nodes, one after the other. */
  retry?: Pick<RetryOptions, 'tries' | 'firstMs' | 'mostMs' | 'sleep'>
}

/** For the log. */
export type RegistryEvent =
  | { kind: 'node-failed'; url: string; error: Error }
  | { kind: 'retry'; attempt: number; error: unknown; waitMs: number }

export interface RegistryCall {
  method: 'GET' | 'POST' | 'PUT'
  /** Below the node's address: `schemas/ids/7`. */
  path: string
  body?: unknown
  /** For the messages: `register the schema of …`. */
  what: string
  signal?: AbortSignal
  /** An answer that is taken as it is, and not as a failure. */
  accepts?: (answer: HttpAnswer) => boolean
  /** Another node is asked too before this one's answer is believed. */
  doubts?: (answer: HttpAnswer) => boolean
}

export interface Nodes {
  call: (call: RegistryCall) => Promise<Reply>
  close: () => void
}

export interface Reply {
  status: number
  body: Readonly<Record<string, unknown>>
}

interface Node {
  url: string
  /** Since then it is asked after the others. */
  failedAtMs: number
}

const TIMEOUT_MS = 5_000
const AVOIDED_MS = 30_000
const CONTENT_TYPE = 'application/vnd.schemaregistry.v1+json'

export function openNodes(options: NodesOptions): Nodes {
  const { auth, ca, timeoutMs = TIMEOUT_MS, clock = { nowMs: () => performance.now() }, onEvent } = options
  const http = openHttp({ ca, timeoutMs })
  const nodes: Node[] = options.urls.map(url => ({ url: url.replace(/\/+$/, ''), failedAtMs: -Infinity }))
  const closing = new AbortController()
  const headers = { accept: `${CONTENT_TYPE}, application/json`, 'content-type': CONTENT_TYPE, ...authorization(auth) }

  function inOrder(): Node[] {
    const avoided = (node: Node) => clock.nowMs() - node.failedAtMs < AVOIDED_MS
    return [...nodes.filter(node => !avoided(node)), ...nodes.filter(avoided)]
  }

  async function ask(node: Node, call: RegistryCall, signal: AbortSignal): Promise<HttpAnswer> {
    const { method, path, body } = call
    const text = body === undefined ? undefined : JSON.stringify(body)
    const sent: HttpCall = { method, url: `${node.url}/${path}`, headers, body: text, signal }
    let answer: HttpAnswer
    try {
      answer = await http.send(sent)
    } catch (error) {
      throw unreachable(`the Schema Registry at ${maskSecrets(node.url)}`, error)
    }
    if (isNodeTrouble(answer)) throw registryFailure(node.url, call.what, answer)
    return answer
  }

  /** Each node once. */
  async function askEach(call: RegistryCall, signal: AbortSignal): Promise<Reply> {
    const failures: Failure[] = []
    let doubted: Reply | undefined
    for (const node of inOrder()) {
      let answer: HttpAnswer
      let reply: Reply | undefined
      try {
        answer = await ask(node, call, signal)
        if (answer.status < 300 || call.accepts?.(answer)) reply = replyOf(node.url, answer)
      } catch (error) {
        if (signal.aborted || !(error instanceof Failure)) throw error
        node.failedAtMs = clock.nowMs()
        onEvent?.({ kind: 'node-failed', url: maskSecrets(node.url), error })
        failures.push(error)
        continue
      }
      if (!reply) throw registryFailure(node.url, call.what, answer)
      node.failedAtMs = -Infinity
      if (call.doubts?.(answer) !== true) return reply
      doubted ??= reply
    }
    if (doubted) return doubted
    throw allFailed(failures)
  }

  return {
    call(call) {
      const signal = call.signal ? AbortSignal.any([call.signal, closing.signal]) : closing.signal
      return retry(() => askEach(call, signal), {
        ...options.retry,
        signal,
        onRetry: told => onEvent?.({ kind: 'retry', ...told }),
      })
    },
    close() {
      closing.abort()
      http.close()
    },
  }
}

function authorization(auth: RegistryAuth | undefined): Record<string, string> {
  if (!auth) return {}
  if ('token' in auth) return { authorization: `Bearer ${auth.token}` }
  return { authorization: `Basic ${Buffer.from(`${auth.user}:${auth.password}`).toString('base64')}` }
}

function replyOf(url: string, answer: HttpAnswer): Reply {
  try {
    const body = JSON.parse(answer.text) as unknown
    if (typeof body === 'object' && body !== null) return { status: answer.status, body: body as Reply['body'] }
  } catch {
    // said below
  }
  throw strangeAnswer(url, answer)
}

function allFailed(failures: readonly Failure[]): Failure {
  if (failures.length === 1) return failures[0]
  const message = `No node of the Schema Registry answers. ${failures.map(failure => failure.message).join(' ')}`
  const code = failures.every(failure => failure.code === failures[0].code) ? failures[0].code : 'UNAVAILABLE'
  return new Failure(code, message, { cause: failures[0] })
}
