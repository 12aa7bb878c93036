// The answering side of the wire benchmark, in a worker thread or a child process.
import type { MessagePort } from 'node:worker_threads'
import { messagePort, parentPort } from '../../src/main/host/ports.ts'
import { createDispatch } from '../../src/main/wire/dispatch.ts'
import { servePort } from '../../src/main/wire/serve-port.ts'
import { createPlainServer } from '../../tests/support/plain-server.ts'
import { bigBatch, wireContract } from './wire-contract.ts'

const batch = bigBatch()
const dispatch = createDispatch(wireContract, {
  nothing: () => ({ ok: true }),
  batch: () => batch,
  listen: async ({ key }) => {
    const server = createPlainServer(wireContract, dispatch, key)
    return { url: (await server.listen()).url }
  },
})

export function servePortGiven(port: MessagePort): void {
  servePort(messagePort(port), dispatch, 'port')
}

if (process.argv[2] === 'child') servePort(parentPort(), dispatch, 'port')
