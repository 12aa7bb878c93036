// Which streams are wanted, and how they are asked for within the exchange's limits: some in the address, the rest in
// messages afterwards, no more than a few a second and not too many names in one.
import { sleepUnlessAborted } from '../../base/retry.ts'
import type { Connection } from './connection.ts'

/** An address of more is refused by servers on the way. */
const MOST_IN_ADDRESS = 100
const MOST_IN_MESSAGE = 100
/** Five messages a second are allowed, pings and pongs counted. */
const MESSAGE_EVERY_MS = 400

export function streamsOf(symbols: readonly string[]): string[] {
  return symbols.flatMap(symbol => [`${symbol.toLowerCase()}@trade`, `${symbol.toLowerCase()}@bookTicker`])
}

export function addressOf(base: string, streams: readonly string[]): string {
  return `${base.replace(/\/+(ws|stream)?\/*$/, '')}/stream?streams=${streams.slice(0, MOST_IN_ADDRESS).join('/')}`
}

/** Those that the address does not name. Ends early, without complaint, when the signal aborts. */
export async function subscribeRest(
  connection: Connection,
  streams: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  for (let at = MOST_IN_ADDRESS, id = 1; at < streams.length; at += MOST_IN_MESSAGE, id++) {
    connection.send(JSON.stringify({ method: 'SUBSCRIBE', params: streams.slice(at, at + MOST_IN_MESSAGE), id }))
    await sleepUnlessAborted(MESSAGE_EVERY_MS, signal).catch(() => {})
    if (signal.aborted) return
  }
}
