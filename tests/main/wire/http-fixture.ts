// A server of the sample contract on a free port, closed after the test; and requests as a script makes them.
import { onTestFinished } from 'vitest'
import { createDispatch } from '../../../src/main/wire/dispatch.ts'
import type { HttpEnd } from '../../../src/main/wire/http/manners.ts'
import { createHttpServer, type HttpOptions } from '../../../src/main/wire/http/server.ts'
import { newWitness, sample, sampleHandlers } from '../../support/sample.ts'

export const KEY = 'a-key-of-the-test'

export interface Envelope {
  success: boolean
  data?: unknown
  error?: { code: string; message: string; details?: unknown; retryable: boolean }
  meta: { correlation_id: string; timestamp: string; query?: unknown }
  pagination?: unknown
}

export async function serveSample(overrides: Partial<HttpOptions> = {}) {
  const witness = newWitness()
  const ends: HttpEnd[] = []
  const bugs: unknown[] = []
  const server = createHttpServer({
    contract: sample,
    dispatch: createDispatch(sample, sampleHandlers(witness), { checkAnswers: true }),
    version: '1.2.3',
    apiKey: KEY,
    host: '127.0.0.1',
    port: 0,
    allowedHosts: [],
    corsOrigins: [],
    rateLimitPerMinute: 0,
    metricsText: () => Promise.resolve('k2_up 1\n'),
    observe: end => ends.push(end),
    log: { debug: () => {}, error: (_message, fields) => bugs.push(fields.error) },
    ...overrides,
  })
  const { url, port } = await server.listen()
  onTestFinished(() => server.close())
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(url + path, { ...init, headers: { 'x-api-key': KEY, ...init.headers }, redirect: 'manual' })
  const askJson = async (path: string, init?: RequestInit) => {
    const response = await ask(path, init)
    return { status: response.status, headers: response.headers, body: (await response.json()) as Envelope }
  }
  const post = (path: string, body: unknown) =>
    askJson(path, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } })
  return { server, url, port, witness, ends, bugs, ask, askJson, post }
}

/** Waits for what another process or the network does; says whether it came in time. */
export async function until(condition: () => boolean, withinMs = 1000): Promise<boolean> {
  for (const started = performance.now(); performance.now() - started < withinMs;) {
    if (condition()) return true
    await new Promise(resolve => setTimeout(resolve, 5))
  }
  return condition()
}
