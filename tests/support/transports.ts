// The sample contract opened over each transport, with what the serving side saw; cleans up after the test.
import { MessageChannel } from 'node:worker_threads'
import { onTestFinished } from 'vitest'
import type { Client, Dispatch } from '../../src/contract/capability.ts'
import { connectClient } from '../../src/contract/client.ts'
import { messagePort } from '../../src/main/host/ports.ts'
import { connectDirect } from '../../src/main/wire/direct.ts'
import { createDispatch, type Observe } from '../../src/main/wire/dispatch.ts'
import { createHttpServer } from '../../src/main/wire/http/server.ts'
import { servePort } from '../../src/main/wire/serve-port.ts'
import { connectWebSocket } from '../../src/main/wire/ws-client.ts'
import { connectHttp } from './http-client.ts'
import { newWitness, sample, sampleHandlers, type Witness } from './sample.ts'

export const TRANSPORTS = ['direct', 'port', 'ws', 'http'] as const
type Transport = (typeof TRANSPORTS)[number]
type Sample = Client<typeof sample>

interface Opened {
  client: Sample
  witness: Witness
  /** Every request that ended on the serving side. */
  ends: Parameters<Observe>[0][]
  /** The caller is gone without a word. */
  vanish: () => void
}

export async function openSample(transport: Transport): Promise<Opened> {
  const witness = newWitness()
  const ends: Opened['ends'] = []
  const dispatch = createDispatch(sample, sampleHandlers(witness), {
    observe: end => ends.push(end),
    checkAnswers: true,
  })
  const { client, vanish } = await open[transport](dispatch)
  return { client, witness, ends, vanish }
}

const open: Record<Transport, (dispatch: Dispatch) => Promise<{ client: Sample; vanish: () => void }>> = {
  async direct(dispatch) {
    return { client: connectDirect(sample, dispatch), vanish: () => {} }
  },
  async port(dispatch) {
    const { port1, port2 } = new MessageChannel()
    servePort(messagePort(port1), dispatch, 'port')
    onTestFinished(() => port2.close())
    return { client: connectClient(sample, messagePort(port2)), vanish: () => port2.close() }
  },
  async ws(dispatch) {
    const url = await listen(dispatch)
    const port = await connectWebSocket(url, { apiKey: KEY })
    onTestFinished(() => port.close())
    return { client: connectClient(sample, port), vanish: () => port.close() }
  },
  async http(dispatch) {
    const { client, close } = connectHttp(sample, await listen(dispatch), KEY)
    onTestFinished(close)
    return { client, vanish: close }
  },
}

const KEY = 'a-key-of-this-test'

async function listen(dispatch: Dispatch): Promise<string> {
  const silent = () => {}
  const server = createHttpServer({
    contract: sample,
    dispatch,
    version: '0',
    apiKey: KEY,
    host: '127.0.0.1',
    port: 0,
    allowedHosts: [],
    corsOrigins: [],
    rateLimitPerMinute: 0,
    metricsText: () => Promise.resolve(''),
    log: { debug: silent, error: silent },
  })
  const { url } = await server.listen()
  onTestFinished(() => server.close())
  return url
}
