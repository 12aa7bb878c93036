// The contract over REST and SSE, as a script would use it; a test instrument.
import { request, Agent, type IncomingMessage } from 'node:http'
import type { CallOptions, Contract } from '../../src/contract/capability.ts'
import { bindClient } from '../../src/contract/client.ts'
import { Failure, failureFromWire, type WireFailure } from '../../src/contract/failure.ts'
import { answers } from '../../src/contract/fields.ts'

interface Envelope {
  success: boolean
  data?: unknown
  error?: WireFailure
  meta: { query?: unknown }
  pagination?: unknown
}

export function connectHttp<C extends Contract>(contract: C, url: string, apiKey: string) {
  const agent = new Agent({ keepAlive: true })

  function send(name: string, input: unknown, { signal, correlationId }: CallOptions): Promise<IncomingMessage> {
    const { http } = contract[name]
    const fields = new Map(Object.entries(input as Record<string, unknown>))
    const path = http!.path.replace(/\{(\w+)\}/g, (_, field: string) => {
      const value = String(fields.get(field))
      fields.delete(field)
      return encodeURIComponent(value)
    })
    const isGet = http!.method === 'GET'
    const query = new URLSearchParams()
    if (isGet) for (const [field, value] of fields) query.append(field, String(value))
    const headers: Record<string, string> = { 'x-api-key': apiKey }
    if (correlationId) headers['x-correlation-id'] = correlationId
    if (!isGet) headers['content-type'] = 'application/json'
    return new Promise((resolve, reject) => {
      const asked = request(`${url}${path}${isGet ? `?${query}` : ''}`, {
        method: http!.method,
        headers,
        agent,
        signal,
      })
      asked.on('response', resolve)
      asked.on('error', error => reject(lost(error, signal)))
      asked.end(isGet ? undefined : JSON.stringify(Object.fromEntries(fields)))
    })
  }

  async function ask(name: string, input: unknown, options: CallOptions = {}): Promise<unknown> {
    const response = await send(name, input, options)
    const body = JSON.parse(await textOf(response, options.signal)) as Envelope
    if (!body.success) throw failureFromWire(body.error!)
    if (!answers.has(contract[name].output)) return body.data
    return { data: body.data, query: body.meta.query, ...(body.pagination ? { pagination: body.pagination } : {}) }
  }

  async function* follow(name: string, input: unknown, options: CallOptions = {}): AsyncGenerator<unknown> {
    const response = await send(name, input, options)
    if (response.statusCode !== 200) {
      const body = JSON.parse(await textOf(response, options.signal)) as Envelope
      throw failureFromWire(body.error!)
    }
    let rest = ''
    try {
      response.setEncoding('utf8')
      for await (const chunk of response) {
        rest += chunk as string
        const events = rest.split('\n\n')
        rest = events.pop()!
        for (const event of events) {
          const lines = event.split('\n').filter(line => !line.startsWith(':'))
          const field = (key: string) => lines.find(line => line.startsWith(`${key}: `))?.slice(key.length + 2)
          const data = field('data')
          if (data === undefined) continue
          if (field('event') === 'failure') throw failureFromWire(JSON.parse(data) as WireFailure)
          yield JSON.parse(data)
        }
      }
    } catch (error) {
      throw error instanceof Failure ? error : lost(error, options.signal)
    } finally {
      response.destroy()
    }
  }
  return { client: bindClient(contract, ask, follow), close: () => agent.destroy() }
}

async function textOf(response: IncomingMessage, signal?: AbortSignal): Promise<string> {
  let text = ''
  try {
    response.setEncoding('utf8')
    for await (const chunk of response) text += chunk as string
  } catch (error) {
    throw lost(error, signal)
  }
  return text
}

function lost(cause: unknown, signal?: AbortSignal): Failure {
  return signal?.aborted
    ? new Failure('CANCELLED', 'Cancelled by the caller.', { cause })
    : new Failure('UNAVAILABLE', 'The connection is gone.', { cause })
}
