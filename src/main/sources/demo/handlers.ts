// The demo's slice of the contract: one simulated market at a time.
import type { Handlers } from '../../../contract/capability.ts'
import { demo, type DemoStatus } from '../../../contract/demo.ts'
import { Failure } from '../../../contract/failure.ts'
import type { MessageLog } from '../../log/message-log.ts'
import { startDemoFeed, type DemoFeed, type SchemaIdOf } from './feed.ts'

export interface DemoEngine {
  handlers: Handlers<typeof demo>
  close(): Promise<void>
}

/** Without `schemaIdOf` messages are written as where there is no registry. */
export function demoHandlers(log: MessageLog, schemaIdOf?: SchemaIdOf): DemoEngine {
  let feed: DemoFeed | undefined
  let closed = false
  let lastTurn: Promise<unknown> = Promise.resolve()

  /** Starts and stops one after the other, as each takes a moment. */
  function inTurn<T>(act: () => Promise<T>): Promise<T> {
    const turn = lastTurn.then(act)
    lastTurn = turn.catch(() => {})
    return turn
  }

  return {
    handlers: {
      'demo.start': ({ seed, rate, speed }) =>
        inTurn(async () => {
          if (closed)
            throw new Failure('UNAVAILABLE', 'K2 is shutting down; start the simulated market after a restart.')
          const current = feed?.status()
          if (feed && current?.running && current.seed === seed) feed.setPace({ rate, speed })
          else {
            await feed?.stop()
            feed = await startDemoFeed(log, { seed, rate, speed, schemaIdOf })
          }
          return feed.status()
        }),
      'demo.stop': () =>
        inTurn(async () => {
          await feed?.stop()
          return feed?.status() ?? neverStarted()
        }),
      'demo.status': () => {
        const cause = feed?.failure()
        if (cause)
          throw new Failure('UNAVAILABLE', `The simulated market ended: ${cause.message} Start it again.`, { cause })
        return feed?.status() ?? neverStarted()
      },
    },
    close: () =>
      inTurn(async () => {
        closed = true
        await feed?.stop()
      }),
  }
}

function neverStarted(): DemoStatus {
  const defaults = demo['demo.start'].input.parse({})
  return { running: false, ...defaults, messages: 0, actual_rate: 0, why: null, market_time: null }
}
