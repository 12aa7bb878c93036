// The engine process's own half: composes its engines when told to, serves them to main, ends in order.
import type { Context, Contract, Handlers } from '../../contract/capability.ts'
import { Failure } from '../../contract/failure.ts'
import type { Port } from '../../contract/messages.ts'
import { createDispatch, type Observe } from '../wire/dispatch.ts'
import { servePort } from '../wire/serve-port.ts'
import { control } from './control.ts'
import { watchVitals } from './vitals.ts'

/** What a composition of engines gives, wherever it is placed. */
export interface Engines<C extends Contract> {
  handlers: Handlers<C>
  /** Metrics of these engines as prom-client's JSON. */
  metrics(): Promise<object[]>
  close(signal: AbortSignal): Promise<string[]>
  observe?: Observe
}

/** `start` is loaded and run once main has said with which options. */
export function serveEngine<C extends Contract>(
  port: Port,
  contract: C,
  start: (options: unknown) => Promise<Engines<C>>,
): void {
  const whole = { ...contract, ...control }
  const vitals = watchVitals()
  let engines: Engines<C> | undefined

  const relayed = Object.keys(contract).map(name => [
    name,
    (input: unknown, context: Context) => {
      if (!engines) throw new Failure('UNAVAILABLE', 'The engines are still starting; ask again in a moment.')
      return (engines.handlers as Record<string, (input: unknown, context: Context) => unknown>)[name](input, context)
    },
  ])
  const handlers = {
    ...(Object.fromEntries(relayed) as Handlers<C>),
    async 'engine.start'({ options }: { options?: unknown }) {
      engines = await start(options)
      return { pid: process.pid }
    },
    async 'engine.vitals'() {
      return { ...vitals.read(), metrics: (await engines?.metrics()) ?? [] }
    },
    async 'engine.close'(_: unknown, { signal }: Context) {
      const unfinished = (await engines?.close(signal)) ?? []
      vitals.close()
      // After the answer has left.
      setTimeout(() => process.exit(0), 20)
      return { unfinished }
    },
  }
  const observe: Observe = end => engines?.observe?.(end)
  servePort(port, createDispatch(whole, handlers as Handlers<typeof whole>, { observe }), 'port')
  // Main is gone without a word: nothing can be asked of these engines any more.
  port.onClose(() => process.exit(1))
}
