// The engine process's own half: serves its engines to main over its port, and ends when main does.
import type { Contract } from '../../contract/capability.ts'
import type { Port } from '../../contract/messages.ts'
import { servePort } from '../wire/serve-port.ts'
import { dispatchEngines, type Engines } from './engine-dispatch.ts'

export function serveEngine<C extends Contract>(
  port: Port,
  contract: C,
  start: (options: unknown) => Promise<Engines<C>>,
): void {
  let closed = false
  servePort(
    port,
    dispatchEngines(contract, start, () => (closed = true)),
    'port',
  )
  // Main has hung up: after the answer to `engine.close`, or because it is gone and nothing can be asked any more.
  port.onClose(() => process.exit(closed ? 0 : 1))
}
