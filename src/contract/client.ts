// The caller's half of the port and WebSocket transports: a typed client over a Port.
import type { CallOptions, Client, Contract } from './capability.ts'
import { Failure, failureFromWire } from './failure.ts'
import type { Port, ToClient, ToServer } from './messages.ts'

/** Every call in flight fails UNAVAILABLE when the port closes; nothing waits for ever. */
export function connectClient<C extends Contract>(contract: C, port: Port): Client<C> {
  const waiting = new Map<number, (message: ToClient) => void>()
  let nextId = 1
  let closed = false
  const send = (message: ToServer) => port.post(message)

  port.onMessage(message => {
    const answer = message as ToClient
    waiting.get(answer.id)?.(answer)
  })
  port.onClose(() => {
    closed = true
    for (const [id, tell] of [...waiting]) tell({ t: 'fail', id, error: gone().toWire() })
  })

  async function ask(name: string, input: unknown, options: CallOptions = {}): Promise<unknown> {
    const { signal, correlationId } = options
    if (closed) throw gone()
    if (signal?.aborted) throw cancelled(name)
    const id = nextId++
    let stop = () => {}
    try {
      return await new Promise((resolve, reject) => {
        waiting.set(id, message => {
          if (message.t === 'done') resolve(message.value)
          else if (message.t === 'fail') reject(failureFromWire(message.error))
        })
        stop = () => {
          if (!closed) send({ t: 'cancel', id })
          reject(cancelled(name))
        }
        signal?.addEventListener('abort', stop)
        send({ t: 'open', id, name, input, correlationId })
      })
    } finally {
      signal?.removeEventListener('abort', stop)
      waiting.delete(id)
    }
  }

  async function* follow(name: string, input: unknown, options: CallOptions = {}): AsyncGenerator<unknown> {
    const { signal, correlationId } = options
    if (closed) throw gone()
    if (signal?.aborted) throw cancelled(name)
    const id = nextId++
    const queue: ToClient[] = []
    let wake = () => {}
    let ended = false
    waiting.set(id, message => {
      queue.push(message)
      wake()
    })
    const abort = () => waiting.get(id)?.({ t: 'fail', id, error: cancelled(name).toWire() })
    signal?.addEventListener('abort', abort)
    send({ t: 'open', id, name, input, correlationId })
    try {
      for (;;) {
        while (queue.length === 0) await new Promise<void>(resolve => (wake = resolve))
        const message = signal?.aborted ? queue.find(m => m.t === 'fail')! : queue.shift()!
        if (message.t === 'next') {
          yield message.value
          // Credit is given back when the reader returns for more: a reader that stops reading stops the producer.
          if (!closed) send({ t: 'credit', id, n: 1 })
          continue
        }
        ended = message.t === 'done' || !signal?.aborted
        if (message.t === 'fail') throw failureFromWire(message.error)
        return
      }
    } finally {
      signal?.removeEventListener('abort', abort)
      waiting.delete(id)
      if (!ended && !closed) send({ t: 'cancel', id })
    }
  }

  return bindClient(contract, ask, follow)
}

/** A client whose every capability goes through one function for calls and one for streams. */
export function bindClient<C extends Contract>(
  contract: C,
  ask: (name: string, input: unknown, options?: CallOptions) => Promise<unknown>,
  follow: (name: string, input: unknown, options?: CallOptions) => AsyncIterable<unknown>,
): Client<C> {
  const entries = Object.entries(contract).map(([name, capability]) => [
    name,
    capability.kind === 'call'
      ? (input: unknown, options?: CallOptions) => ask(name, input, options)
      : (input: unknown, options?: CallOptions) => follow(name, input, options),
  ])
  return Object.fromEntries(entries) as Client<C>
}

function gone(): Failure {
  return new Failure('UNAVAILABLE', 'The connection to K2 is gone; reconnect and ask again.')
}

function cancelled(name: string): Failure {
  return new Failure('CANCELLED', `${name} was cancelled by its caller.`)
}
