// Asks the same question again and again while there is a connection; the answers are for stores that show how things are.
import { pause, type K2Client, type Link } from './link.ts'

/** Calls `ask` at once on every new connection and then every so often; a failure is told and the asking goes on. */
export function poll(
  link: Link,
  everyMs: number,
  ask: (client: K2Client, signal: AbortSignal) => Promise<void>,
  onFailure: (failure: Error) => void = () => {},
): () => void {
  return whileConnected(link, async (client, signal) => {
    while (!signal.aborted) {
      await ask(client, signal).catch((failure: Error) => {
        if (!signal.aborted) onFailure(failure)
      })
      await pause(everyMs, signal)
    }
  })
}

/** Runs something for as long as a connection lasts, and anew on the next one. */
export function whileConnected(link: Link, run: (client: K2Client, signal: AbortSignal) => Promise<void>): () => void {
  let client: K2Client | undefined
  let over = new AbortController()
  const follow = (next: K2Client | undefined) => {
    if (next === client) return
    client = next
    over.abort()
    if (!next) return
    over = new AbortController()
    void run(next, over.signal)
  }
  follow(link.store.getState().client)
  const unsubscribe = link.store.subscribe(state => follow(state.client))
  return () => {
    unsubscribe()
    over.abort()
  }
}
