// The engine process's own half: serves its engines to main over its port, and ends when main does.
import type { Client, Contract } from '../../contract/capability.ts'
import { connectClient } from '../../contract/client.ts'
import type { Port } from '../../contract/messages.ts'
import { servePort } from '../wire/serve-port.ts'
import { dispatchEngines, type Engines } from './engine-dispatch.ts'
import { splitPort } from './two-way-port.ts'

/** `offered` is what main offers this process in turn; the engines get a client of it. */
export function serveEngine<C extends Contract, M extends Contract = Record<never, never>>(
  port: Port,
  contract: C,
  start: (options: unknown, main: Client<M>) => Promise<Engines<C>>,
  offered = {} as M,
): void {
  let closed = false
  const { asking, answering } = splitPort(port)
  const main = connectClient(offered, asking)
  const dispatch = dispatchEngines(
    contract,
    options => start(options, main),
    () => (closed = true),
  )
  servePort(answering, dispatch, 'port')
  // Main has hung up: after the answer to `engine.close`, or because it is gone and nothing can be asked any more.
  port.onClose(() => {
    if (closed) process.exit(0)
    // Seen once: an exit in the middle of DuckDB's work waits for its threads for ever, and nobody is left to end it.
    process.kill(process.pid, 'SIGKILL')
  })
}
