// Owns one engine process: starts it, tells it its options, restarts it when it dies, ends it in order.
import type { Client, Contract } from '../../contract/capability.ts'
import { connectClient } from '../../contract/client.ts'
import { Failure } from '../../contract/failure.ts'
import type { Port } from '../../contract/messages.ts'
import { deferred, type Deferred } from '../base/deferred.ts'
import { control } from './control.ts'

/** A process just started; plain Node forks a child, Electron a utility process. */
export interface EngineProcess {
  port: Port
  onExit(listen: (code: number | null) => void): void
  kill(): void
}

export interface SuperviseOptions<C extends Contract> {
  name: string
  contract: C
  start: () => EngineProcess
  /** What `engine.start` is told, at the first start and at every restart. */
  options: unknown
  /** After a restart: bring back what the lost process was doing. */
  onRestart?: (client: Client<C & typeof control>) => Promise<void> | void
  onExit?: (exit: { name: string; code: number | null; restartInMs: number }) => void
}

export interface Supervised<C extends Contract> {
  /** The running process's client. While it restarts this waits, for at most WAIT_MS, then is UNAVAILABLE. */
  client: () => Promise<Client<C & typeof control>>
  restarts: () => number
  /** Asks it to close; what is still there when the signal aborts is killed. Tells what was left unfinished. */
  close: (signal: AbortSignal) => Promise<string[]>
}

const WAIT_MS = 3_000
const BACKOFF_MS = { first: 100, most: 5_000, forgetAfter: 30_000 }

export function supervise<C extends Contract>(options: SuperviseOptions<C>): Supervised<C> {
  const whole = { ...options.contract, ...control }
  let ready: Deferred<Client<C & typeof control>> = deferred()
  let running: EngineProcess | undefined
  let restarts = 0
  let backoffMs = BACKOFF_MS.first
  let closing = false
  let retry: NodeJS.Timeout | undefined

  function launch(again: boolean): void {
    const engine = options.start()
    const startedAt = performance.now()
    const mine = ready
    const client = connectClient(whole, engine.port)
    running = engine
    engine.onExit(code => {
      if (running === engine) running = undefined
      if (closing) return
      if (performance.now() - startedAt > BACKOFF_MS.forgetAfter) backoffMs = BACKOFF_MS.first
      if (ready === mine) {
        ready = deferred()
        ready.promise.catch(() => {})
      }
      restarts++
      options.onExit?.({ name: options.name, code, restartInMs: backoffMs })
      retry = setTimeout(() => launch(true), backoffMs)
      backoffMs = Math.min(backoffMs * 2, BACKOFF_MS.most)
    })
    void begin(client, again).then(
      () => mine.resolve(client),
      (error: unknown) => {
        // A process that cannot start says why (bad data, no memory); those who wait hear it, and it is tried again.
        mine.reject(error)
        engine.kill()
      },
    )
  }

  async function begin(client: Client<C & typeof control>, again: boolean): Promise<void> {
    await (client as Client<typeof control>)['engine.start']({ options: options.options })
    if (again) await options.onRestart?.(client)
  }

  ready.promise.catch(() => {})
  launch(false)

  return {
    restarts: () => restarts,
    async client() {
      if (closing) throw new Failure('UNAVAILABLE', 'K2 is shutting down.')
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(unavailable(options.name)), WAIT_MS)
      })
      try {
        return await Promise.race([ready.promise, late])
      } finally {
        clearTimeout(timer)
      }
    },
    async close(signal) {
      closing = true
      clearTimeout(retry)
      const engine = running
      if (!engine) return []
      const exited = new Promise<void>(resolve => engine.onExit(() => resolve()))
      const aborted = new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
      const asked = ready.promise.then(client => (client as Client<typeof control>)['engine.close']({}))
      const answer = await Promise.race([asked.catch(() => undefined), exited, aborted])
      await Promise.race([exited, signal.aborted ? Promise.resolve() : aborted])
      if (running === engine) engine.kill()
      return answer?.unfinished ?? (signal.aborted ? [options.name] : [])
    },
  }
}

function unavailable(name: string): Failure {
  return new Failure('UNAVAILABLE', `The ${name} process is restarting; ask again in a moment.`)
}
