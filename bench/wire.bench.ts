// What a door costs: a call that does nothing, and a large batch, over every transport. The answering side is a process
// of its own where the transport crosses one, as in the product.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { request, Agent } from 'node:http'
import { MessageChannel, Worker } from 'node:worker_threads'
import { join } from 'node:path'
import { connectClient } from '../src/contract/client.ts'
import { childPort, messagePort } from '../src/main/host/ports.ts'
import { connectWebSocket } from '../src/main/wire/ws-client.ts'
import type { Figure } from './figure.ts'
import { elapsedMsOf, timesOf } from './support/timing.ts'
import { bigBatchRows, wireContract } from './support/wire-contract.ts'

const CALLS = 3_000
const BATCHES = 30
const TURNS = 10
const KEY = 'bench-key'
const entry = join(import.meta.dirname, 'support/wire-server.ts')

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
  const calls: Way[] = [
    { name: 'call, port to a worker thread', work: () => overPort.nothing({}), target: '≤ 0.15 ms' },
    { name: 'call, port to a child process', work: () => overChild.nothing({}), target: '≤ 0.15 ms' },
    {
      name: 'a bare message to a child process and back, for comparison',
      work: async () => {
        const answered = once(echo, 'message')
        echo.send({})
        await answered
      },
    },
    { name: 'call, WebSocket', work: () => overSocket.nothing({}), target: '≤ 0.3 ms' },
    { name: 'call, REST', work: () => askHttp(agent, `${url}/v1/nothing`), target: '≤ 1.5 ms' },
  ]
  const rows = `${bigBatchRows.toLocaleString('en')} rows × 8 columns`
  const batches: Way[] = [
    { name: `${rows}, port to a worker thread`, work: () => overPort.batch({}), target: '≤ 25 ms' },
    { name: `${rows}, port to a child process`, work: () => overChild.batch({}) },
    { name: `${rows}, WebSocket`, work: () => overSocket.batch({}) },
  ]
  try {
    return [...(await measureInTurns(calls, CALLS)), ...(await measureInTurns(batches, BATCHES))]
  } finally {
    agent.destroy()
    socket.close()
    port1.close()
    child.kill()
    echo.kill()
    await worker.terminate()
  }
}

interface Way {
  name: string
  work: () => Promise<unknown>
  target?: string
}

/** In ten turns, so that a slow moment of the machine is every way's and not one's. */
async function measureInTurns(ways: Way[], times: number): Promise<Figure[]> {
  const elapsedMs = ways.map((): number[] => [])
  for (let turn = -1; turn < TURNS; turn++) {
    for (const [way, { work }] of ways.entries()) {
      for (let i = 0; i < times / TURNS; i++) {
        const tookMs = await elapsedMsOf(work)
        if (turn >= 0) elapsedMs[way].push(tookMs) // the first turn makes ready
      }
    }
  }
  return ways.map(({ name, target }, way) => {
    const { p50, p99 } = timesOf(elapsedMs[way])
    return { name: `${name}, p50`, value: p50, unit: 'ms', target, detail: `p99 ${p99.toFixed(3)} ms` }
  })
}

function askHttp(agent: Agent, url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent, headers: { 'x-api-key': KEY } }, response => {
      response.resume().on('end', () => (response.statusCode === 200 ? resolve() : reject(new Error('not answered'))))
    })
    asked.on('error', reject).end()
  })
}
