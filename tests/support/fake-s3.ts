// A small S3 over HTTP in this process, that can be told to answer wrong, late, half or not at all: for what a real server
// does only on bad days.
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { LOOPBACK_CERTIFICATE, LOOPBACK_KEY } from './loopback-certificate.ts'

export interface FakeRequest {
  method: string
  key: string
  headers: IncomingMessage['headers']
  body: Buffer
}

export type Fault =
  | { kind: 'error'; status: number; code?: string; text?: string; headers?: Record<string, string> }
  /** Nothing is answered; `after`: it took effect all the same. */
  | { kind: 'reset' | 'silence'; after?: boolean }
  /** The body ends early: with a broken connection, or by standing still. */
  | { kind: 'cut' | 'stall' }
  /** A byte of what comes in is flipped on the way. */
  | { kind: 'damage' }
  /** As a server that knows neither ranges nor metadata. */
  | { kind: 'plain' }

export interface FakeS3 {
  endpoint: string
  files: Map<string, { bytes: Buffer; writeId?: string }>
  requests: FakeRequest[]
}

/** `fault` is asked for each request, with how many of its method came before. */
export async function openFakeS3(
  fault: (request: FakeRequest, nth: number) => Fault | undefined,
  { tls = false } = {},
): Promise<FakeS3> {
  const files: FakeS3['files'] = new Map()
  const requests: FakeRequest[] = []
  const listener = (incoming: IncomingMessage, response: ServerResponse) => void answer(incoming, response)
  const certificate = { key: LOOPBACK_KEY, cert: LOOPBACK_CERTIFICATE }
  const server = tls ? createTlsServer(certificate, listener) : createServer(listener)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    return new Promise<void>(resolve => server.close(() => resolve()))
  })

  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    try {
      for await (const chunk of incoming) chunks.push(chunk as Buffer)
    } catch {
      return
    }
    const { method = '', headers, url = '' } = incoming
    const key = decodeURIComponent(url.split('?')[0]).replace(/^\/[^/]*\//, '')
    const request = { method, key, headers, body: Buffer.concat(chunks) }
    const nth = requests.filter(other => other.method === method).length
    requests.push(request)
    const found = fault(request, nth)
    if (found?.kind === 'error') return fail(response, method, found)
    if (found?.kind === 'reset' || found?.kind === 'silence') {
      if (found.after === true) take(request, true)
      if (found.kind === 'reset') incoming.socket.destroy()
      return
    }
    if (found?.kind === 'damage') request.body[0] ^= 1
    const status = take(request, found?.kind !== 'plain')
    if (status >= 400) return fail(response, method, { kind: 'error', status, code: names[status] })
    const kept = files.get(key)
    if (method === 'PUT' || method === 'DELETE' || kept === undefined) return void response.writeHead(200).end()
    give(request, response, kept, found)
  }

  function take({ method, key, headers, body }: FakeRequest, keepsId: boolean): number {
    if (method === 'DELETE') files.delete(key)
    else if (method === 'PUT') {
      if (files.has(key) && headers['if-none-match'] === '*') return 412
      const signed = headers['x-amz-content-sha256']
      if (signed !== createHash('sha256').update(body).digest('hex')) return 400
      files.set(key, { bytes: body, writeId: keepsId ? String(headers['x-amz-meta-k2-write']) : undefined })
    } else if (!files.has(key)) return 404
    return 200
  }

  function give(
    { method, headers }: FakeRequest,
    response: ServerResponse,
    { bytes, writeId }: { bytes: Buffer; writeId?: string },
    fault: Fault | undefined,
  ): void {
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(String(headers.range)) ?? []
    const isRange = from !== undefined && fault?.kind !== 'plain'
    if (isRange && Number(from) >= bytes.length) return fail(response, method, { kind: 'error', status: 416 })
    const part = isRange ? bytes.subarray(Number(from), Number(to) + 1) : bytes
    response.writeHead(isRange ? 206 : 200, {
      'content-length': part.length,
      ...(isRange ? { 'content-range': `bytes ${from}-${Number(from) + part.length - 1}/${bytes.length}` } : {}),
      ...(writeId === undefined ? {} : { 'x-amz-meta-k2-write': writeId }),
    })
    if (method === 'HEAD') return void response.end()
    if (fault?.kind !== 'cut' && fault?.kind !== 'stall') return void response.end(part)
    response.write(part.subarray(0, part.length >> 1), () => {
      if (fault.kind === 'cut') response.socket?.destroy()
    })
  }

  return {
    endpoint: `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    files,
    requests,
  }
}

const names: Record<number, string> = { 400: 'BadDigest', 404: 'NoSuchKey', 412: 'PreconditionFailed' }

function fail(response: ServerResponse, method: string, fault: Fault & { kind: 'error' }): void {
  const { status, code = '', text = '', headers } = fault
  response.writeHead(status, { 'content-type': 'application/xml', ...headers })
  response.end(method === 'HEAD' ? undefined : `<Error><Code>${code}</Code><Message>${code}.</Message>${text}</Error>`)
}
