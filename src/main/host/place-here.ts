// Engines in this very process, behind the same interface as a supervised one: for commands that run and end, and for tests.
import type { Client, Contract } from '../../contract/capability.ts'
import { connectDirect } from '../wire/direct.ts'
import { control } from './control.ts'
import { dispatchEngines, type Engines } from './engine-dispatch.ts'
import type { Supervised } from './supervise.ts'

export function placeHere<C extends Contract>(
  contract: C,
  start: (options: unknown) => Promise<Engines<C>>,
  options: unknown,
): Supervised<C> {
  const whole = { ...contract, ...control }
  const client = connectDirect<C & typeof control>(whole, dispatchEngines(contract, start))
  const asKeeper = client as Client<typeof control>
  const started = asKeeper['engine.start']({ options })
  started.catch(() => {})
  return {
    restarts: () => 0,
    client: () => started.then(() => client),
    close: async signal => (await asKeeper['engine.close']({}, { signal })).unfinished,
  }
}
