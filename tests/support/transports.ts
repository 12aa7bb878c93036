// A contract opened over each transport; the sample one with what its serving side saw. Cleans up after the test.
import { MessageChannel } from 'node:worker_threads'
import { onTestFinished } from 'vitest'
import type { Client, Contract, Dispatch } from '../../src/contract/capability.ts'
import { connectClient } from '../../src/contract/client.ts'
import { messagePort } from '../../src/main/host/ports.ts'
import { connectDirect } from '../../src/main/wire/direct.ts'
import { createDispatch, type Observe } from '../../src/main/wire/dispatch.ts'
import { servePort } from '../../src/main/wire/serve-port.ts'
import { connectWebSocket } from '../../src/main/wire/ws-client.ts'
import { connectHttp } from './http-client.ts'
import { createPlainServer } from './plain-server.ts'
import { newWitness, sample, sampleHandlers, type Witness } from './sample.ts'

export const TRANSPORTS = ['direct', 'port', 'ws', 'http'] as const
export type Transport = (typeof TRANSPORTS)[number]

/** A client of some contract over one transport. */
export interface Door<C extends Contract> {
  client: Client<C>
  /** The caller is gone without a word. */
  vanish: () => void
}

interface Opened extends Door<typeof sample> {
  witness: Witness
  /** Every request that ended on the serving side. */
  ends: Parameters<Observe>[0][]
}

export async function openSample(transport: Transport): Promise<Opened> {
  const witness = newWitness()
  const ends: Opened['ends'] = []
  const dispatch = createDispatch(sample, sampleHandlers(witness), {
    observe: end => ends.push(end),
    checkAnswers: true,
  })
  return { ...(await openDoor(transport, sample, dispatch)), witness, ends }
}

export async function openDoor<C extends Contract>(
  transport: Transport,
  contract: C,
  dispatch: Dispatch,
): Promise<Door<C>> {
  switch (transport) {
    case 'direct':
      return { client: connectDirect(contract, dispatch), vanish: () => {} }
    case 'port': {
      const { port1, port2 } = new MessageChannel()
      servePort(messagePort(port1), dispatch, 'port')
      onTestFinished(() => port2.close())
      return { client: connectClient(contract, messagePort(port2)), vanish: () => port2.close() }
    }
    case 'ws': {
      const port = await connectWebSocket(await listen(contract, dispatch), { apiKey: KEY })
      onTestFinished(() => port.close())
      return { client: connectClient(contract, port), vanish: () => port.close() }
    }
    case 'http': {
      const { client, close } = connectHttp(contract, await listen(contract, dispatch), KEY)
      onTestFinished(close)
      return { client, vanish: close }
    }
  }
}

const KEY = 'a-key-of-this-test'

async function listen(contract: Contract, dispatch: Dispatch): Promise<string> {
  const server = createPlainServer(contract, dispatch, KEY)
  const { url } = await server.listen()
  onTestFinished(() => server.close())
  return url
}
