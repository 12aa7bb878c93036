// The answering side of the wire benchmark, in a worker thread or a child process.
import type { MessagePort } from 'node:worker_threads'
import { messagePort, parentPort } from '../../src/main/host/ports.ts'
import { createDispatch } from '../../src/main/wire/dispatch.ts'
import { createHttpServer } from '../../src/main/wire/http/server.ts'
import { servePort } from '../../src/main/wire/serve-port.ts'
import { bigBatch, wireContract } from './wire-contract.ts'

const batch = bigBatch()
const dispatch = createDispatch(wireContract, {
  nothing: () => ({ ok: true }),
  batch: () => batch,
  listen: async ({ key }) => {
    const silent = () => {}
    const server = createHttpServer({
      contract: wireContract,
      dispatch,
      version: '0',
      apiKey: key,
      host: '127.0.0.1',
      port: 0,
      allowedHosts: [],
      corsOrigins: [],
      rateLimitPerMinute: 0,
      metricsText: () => Promise.resolve(''),
      log: { debug: silent, error: silent },
    })
    return { url: (await server.listen()).url }
  },
})

export function servePortGiven(port: MessagePort): void {
  servePort(messagePort(port), dispatch, 'port')
}

if (process.argv[2] === 'child') servePort(parentPort(), dispatch, 'port')
