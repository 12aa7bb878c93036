// A composition of engines behind one dispatch: its share of the contract, and what main asks of its keeper.
import type { Context, Contract, Dispatch, Handlers } from '../../contract/capability.ts'
import { Failure } from '../../contract/failure.ts'
import { createDispatch, type Observe } from '../wire/dispatch.ts'
import { control, type Vitals } from './control.ts'
import { watchVitals } from './vitals.ts'

/** What a composition of engines gives, wherever it is placed. */
export interface Engines<C extends Contract> {
  handlers: Handlers<C>
  /** Metrics of these engines as prom-client's JSON. */
  metrics(): Promise<object[]>
  /** Stops intake, flushes, closes; names what it could not finish. */
  close(signal: AbortSignal): Promise<string[]>
  observe?: Observe
}

/** Engines are composed when `engine.start` says with which options; until then requests are UNAVAILABLE. */
export function dispatchEngines<C extends Contract>(
  contract: C,
  start: (options: unknown) => Promise<Engines<C>>,
  afterClose: () => void = () => {},
): Dispatch {
  const vitals = watchVitals()
  let engines: Engines<C> | undefined

  const handlers: Record<string, (input: never, context: Context) => unknown> = {
    async 'engine.start'({ options }: { options: unknown }) {
      engines = await start(options)
      return { pid: process.pid }
    },
    async 'engine.vitals'(): Promise<Vitals> {
      return { ...vitals.read(), metrics: (await engines?.metrics()) ?? [] }
    },
    async 'engine.close'(_input, { signal }) {
      try {
        return { unfinished: (await engines?.close(signal)) ?? [] }
      } finally {
        vitals.close()
        afterClose()
      }
    },
  }
  for (const name of Object.keys(contract)) {
    handlers[name] = (input, context) => {
      if (!engines) throw new Failure('UNAVAILABLE', 'The engines are still starting; ask again in a moment.')
      return (engines.handlers as typeof handlers)[name](input, context)
    }
  }
  return createDispatch({ ...contract, ...control }, handlers as Handlers<C & typeof control>, {
    observe: end => engines?.observe?.(end),
  })
}
