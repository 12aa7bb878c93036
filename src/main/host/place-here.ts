// Engines in this very process, behind the same interface as a supervised one: for commands that run and end, and for tests.
import type { Client, Contract } from '../../contract/capability.ts'
import { connectDirect } from '../wire/direct.ts'
import { control } from './control.ts'
import { dispatchEngines, type Engines } from './engine-dispatch.ts'
import type { Supervised } from './supervise.ts'

/** They start when first asked for, so that a command pays for none that it does not use. */
export function placeHere<C extends Contract>(
  contract: C,
  start: (options: unknown) => Promise<Engines<C>>,
  options: unknown,
): Supervised<C> {
  const whole = { ...contract, ...control }
  const client = connectDirect<C & typeof control>(whole, dispatchEngines(contract, start))
  const asKeeper = client as Client<typeof control>
  let started: Promise<unknown> | undefined
  return {
    restarts: () => 0,
    async client() {
      await (started ??= asKeeper['engine.start']({ options }))
      return client
    },
    async close(signal) {
      if (!started) return []
      return (await asKeeper['engine.close']({}, { signal })).unfinished
    },
  }
}
