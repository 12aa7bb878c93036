// What a door costs: a call that does nothing, and a large batch, over every transport. The answering side is a process
// of its own where the transport crosses one, as in the product.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { request, Agent } from 'node:http'
import { MessageChannel, Worker } from 'node:worker_threads'
import { join } from 'node:path'
import type { Client } from '../src/contract/capability.ts'
import { connectClient } from '../src/contract/client.ts'
import { childPort, messagePort } from '../src/main/host/ports.ts'
import { connectWebSocket } from '../src/main/wire/ws-client.ts'
import type { Figure } from './figure.ts'
import { bigBatchRows, wireContract } from './support/wire-contract.ts'

const CALLS = 3_000
const BATCHES = 30
const KEY = 'bench-key'
const entry = join(import.meta.dirname, 'support/wire-server.ts')

type WireClient = Client<typeof wireContract>

export async function run(): Promise<Figure[]> {
  const worker = new Worker(new URL('./support/wire-worker.mjs', import.meta.url), { workerData: entry })
  const { port1, port2 } = new MessageChannel()
  worker.postMessage(port2, [port2])
  const child = fork(entry, ['child'], { execArgv: ['--import', 'tsx'], serialization: 'advanced' })
  const echo = fork(join(import.meta.dirname, 'support/echo.mjs'), { serialization: 'advanced' })
  const overChild = connectClient(wireContract, childPort(child))
  const overPort = connectClient(wireContract, messagePort(port1))
  const { url } = await overChild.listen({ key: KEY })
  const socket = await connectWebSocket(url, { apiKey: KEY })
  const overSocket = connectClient(wireContract, socket)
  const agent = new Agent({ keepAlive: true })
  try {
    return [
      ...(await measureDoor('port to a worker thread', overPort, '≤ 0.15 ms', '≤ 25 ms')),
      ...(await measureDoor('port to a child process', overChild, '≤ 0.15 ms')),
      await figureOf('a bare message to a child process and back, for comparison', CALLS, async () => {
        const answered = once(echo, 'message')
        echo.send({})
        await answered
      }),
      ...(await measureDoor('WebSocket', overSocket, '≤ 0.3 ms')),
      await callFigure('REST', () => askHttp(agent, `${url}/v1/nothing`), '≤ 1.5 ms'),
    ]
  } finally {
    agent.destroy()
    socket.close()
    port1.close()
    child.kill()
    echo.kill()
    await worker.terminate()
  }
}

async function measureDoor(name: string, client: WireClient, call: string, batch?: string): Promise<Figure[]> {
  return [
    await callFigure(name, () => client.nothing({}), call),
    await figureOf(
      `${bigBatchRows.toLocaleString('en')} rows × 8 columns, ${name}`,
      BATCHES,
      () => client.batch({}),
      batch,
    ),
  ]
}

function callFigure(name: string, ask: () => Promise<unknown>, target: string): Promise<Figure> {
  return figureOf(`call, ${name}`, CALLS, ask, target)
}

async function figureOf(name: string, times: number, work: () => Promise<unknown>, target?: string): Promise<Figure> {
  for (let i = 0; i < times / 10; i++) await work()
  const elapsedMs: number[] = []
  for (let i = 0; i < times; i++) {
    const started = performance.now()
    await work()
    elapsedMs.push(performance.now() - started)
  }
  elapsedMs.sort((a, b) => a - b)
  const at = (share: number) => elapsedMs[Math.floor((elapsedMs.length - 1) * share)]
  return { name: `${name}, p50`, value: at(0.5), unit: 'ms', target, detail: `p99 ${at(0.99).toFixed(3)} ms` }
}

function askHttp(agent: Agent, url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent, headers: { 'x-api-key': KEY } }, response => {
      response.resume().on('end', () => (response.statusCode === 200 ? resolve() : reject(new Error('not answered'))))
    })
    asked.on('error', reject).end()
  })
}
