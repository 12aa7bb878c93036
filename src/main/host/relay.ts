// Handlers that hand each request on to the engines that answer it, wherever those are.
import type { Client, Context, Contract, Handlers } from '../../contract/capability.ts'
import type { Supervised } from './supervise.ts'

type Anything = Client<Contract>

/** The caller's signal and correlation id go along; a stream's credit too, as nothing is read ahead here. */
export function relayTo<C extends Contract>(contract: C, engines: Supervised<C>): Handlers<C> {
  const client = (signal: AbortSignal) => engines.client(signal) as Promise<unknown> as Promise<Anything>
  const handlers = Object.entries(contract).map(([name, { kind }]) => [
    name,
    kind === 'call'
      ? async (input: unknown, { signal, correlationId }: Context) =>
          ((await client(signal)) as CallsOnly)[name](input, { signal, correlationId })
      : async function* (input: unknown, { signal, correlationId }: Context) {
          yield* ((await client(signal)) as StreamsOnly)[name](input, { signal, correlationId })
        },
  ])
  return Object.fromEntries(handlers) as Handlers<C>
}

type Options = Pick<Context, 'signal' | 'correlationId'>
type CallsOnly = Record<string, (input: unknown, options: Options) => Promise<unknown>>
type StreamsOnly = Record<string, (input: unknown, options: Options) => AsyncIterable<unknown>>
