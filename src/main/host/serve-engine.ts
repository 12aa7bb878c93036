// The engine process's own half: serves its engines to main over its port, and ends when main does.
import type { Contract } from '../../contract/capability.ts'
import type { Port } from '../../contract/messages.ts'
import { servePort } from '../wire/serve-port.ts'
import { dispatchEngines, type Engines } from './engine-dispatch.ts'

/** Time for the answer to `engine.close` to leave before the process ends. */
const LAST_WORDS_MS = 20

export function serveEngine<C extends Contract>(
  port: Port,
  contract: C,
  start: (options: unknown) => Promise<Engines<C>>,
): void {
  const end = () => void setTimeout(() => process.exit(0), LAST_WORDS_MS)
  servePort(port, dispatchEngines(contract, start, end), 'port')
  // Main is gone without a word: nothing can be asked of these engines any more.
  port.onClose(() => process.exit(1))
}
