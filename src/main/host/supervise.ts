// Owns one engine process: starts it, tells it its options, restarts it when it dies, ends it in order.
import type { Client, Contract, Dispatch } from '../../contract/capability.ts'
import { connectClient } from '../../contract/client.ts'
import { Failure } from '../../contract/failure.ts'
import type { Port } from '../../contract/messages.ts'
import { aborted } from '../base/cancelled.ts'
import { deferred, type Deferred } from '../base/deferred.ts'
import { servePort } from '../wire/serve-port.ts'
import { control } from './control.ts'
import { splitPort } from './two-way-port.ts'

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
  /** What the process may ask of main, over the same port; nothing when left out. */
  offers?: Dispatch
  /** It is started when this has settled, or as soon as somebody asks for it; at once when left out. */
  startAfter?: Promise<unknown>
  /** After a restart: bring back what the lost process was doing. */
  onRestart?: (client: Client<C & typeof control>) => Promise<void> | void
  onExit?: (exit: { name: string; code: number | null; restartInMs: number }) => void
}

export interface Supervised<C extends Contract> {
  /** The running process's client. While it starts this waits, at most WAIT_MS, then is UNAVAILABLE. */
  client: (signal?: AbortSignal) => Promise<Client<C & typeof control>>
  restarts: () => number
  /** Asks it to close; what is still there when the signal aborts is killed. Tells what was left unfinished. */
  close: (signal: AbortSignal) => Promise<string[]>
}

const WAIT_MS = { first: 30_000, again: 3_000 }
const BACKOFF_MS = { first: 100, most: 5_000, forgetAfter: 30_000 }

export function supervise<C extends Contract>(options: SuperviseOptions<C>): Supervised<C> {
  const whole = { ...options.contract, ...control }
  let ready: Deferred<Client<C & typeof control>> = deferred()
  let running: EngineProcess | undefined
  let restarts = 0
  let backoffMs = BACKOFF_MS.first
  let closing = false
  let retry: NodeJS.Timeout | undefined
  let isLaunched = false

  function launchFirst(): void {
    if (isLaunched || closing) return
    isLaunched = true
    launch(false)
  }

  function launch(again: boolean): void {
    let engine: EngineProcess
    try {
      engine = options.start()
    } catch {
      return lost(null) // the system has no room for a process just now
    }
    const startedAt = performance.now()
    const mine = ready
    const { asking, answering } = splitPort(engine.port)
    const client = connectClient(whole, asking)
    if (options.offers) servePort(answering, options.offers, 'port')
    running = engine
    engine.onExit(code => {
      if (running === engine) running = undefined
      if (closing) return
      if (performance.now() - startedAt > BACKOFF_MS.forgetAfter) backoffMs = BACKOFF_MS.first
      if (ready === mine) {
        ready = deferred()
        ready.promise.catch(() => {})
      }
      lost(code)
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

  function lost(code: number | null): void {
    restarts++
    options.onExit?.({ name: options.name, code, restartInMs: backoffMs })
    retry = setTimeout(() => launch(true), backoffMs)
    backoffMs = Math.min(backoffMs * 2, BACKOFF_MS.most)
  }

  async function begin(client: Client<C & typeof control>, again: boolean): Promise<void> {
    await (client as Client<typeof control>)['engine.start']({ options: options.options })
    if (again) await options.onRestart?.(client)
  }

  ready.promise.catch(() => {})
  if (options.startAfter) options.startAfter.then(launchFirst, launchFirst)
  else launchFirst()

  return {
    restarts: () => restarts,
    async client(signal) {
      if (closing) throw new Failure('UNAVAILABLE', 'K2 is shutting down.')
      signal?.throwIfAborted()
      launchFirst()
      const waiting = deferred<never>()
      const waitMs = restarts === 0 ? WAIT_MS.first : WAIT_MS.again
      const timer = setTimeout(() => waiting.reject(unavailable(options.name)), waitMs)
      const stop = () => waiting.reject(new Failure('CANCELLED', 'The caller went away.'))
      signal?.addEventListener('abort', stop)
      try {
        return await Promise.race([ready.promise, waiting.promise])
      } finally {
        clearTimeout(timer)
        signal?.removeEventListener('abort', stop)
      }
    },
    async close(signal) {
      closing = true
      clearTimeout(retry)
      const engine = running
      if (!engine) return []
      const exited = new Promise<void>(resolve => engine.onExit(() => resolve()))
      const late = aborted(signal)
      const asked = ready.promise.then(client => (client as Client<typeof control>)['engine.close']({}))
      const answer = await Promise.race([asked.catch(() => undefined), exited, late])
      // It ends itself when its answer has left; hanging up makes sure that it does.
      if (answer) engine.port.close()
      await Promise.race([exited, late])
      if (running === engine) engine.kill()
      // Dead or silent before it had answered: whatever it still had to flush is not flushed.
      return answer?.unfinished ?? [options.name]
    },
  }
}

function unavailable(name: string): Failure {
  return new Failure('UNAVAILABLE', `The ${name} process is restarting; ask again in a moment.`)
}
