// The live half as main starts it, in this process: from environment variables to a client.
import { onTestFinished } from 'vitest'
import type { Client } from '../../src/contract/capability.ts'
import { cellOf, type ColumnBatch } from '../../src/contract/columns.ts'
import { loadConfig } from '../../src/main/config/load-config.ts'
import { placeHere } from '../../src/main/host/place-here.ts'
import { liveContract, startLive, type LiveOptions } from '../../src/main/processes/live.ts'

export type LiveClient = Client<typeof liveContract>

/** Closed when the test is over, if it was not before. */
export async function openLive(
  env: Record<string, string>,
): Promise<{ client: LiveClient; close: () => Promise<void> }> {
  const config = loadConfig({ env: { K2_LOG_LEVEL: 'silent', ...env } })
  const live = placeHere(liveContract, options => startLive(options as LiveOptions), { config })
  let closing: Promise<unknown> | undefined
  const close = async () => void (await (closing ??= live.close(AbortSignal.timeout(10_000))))
  onTestFinished(close)
  return { client: await live.client(), close }
}

export interface Seen {
  symbol: string
  partition: number
  offset: number
  /** Exchange time, and when it was given to the follower: microseconds since 1970. */
  micros: number
  seenMicros: number
}

/** All trades from now on, in the order in which they come; ends with the test. */
export function followTrades(client: LiveClient, nowMicros: () => number, backlog = 0): Seen[] {
  const stopping = new AbortController()
  const seen: Seen[] = []
  const following = (async () => {
    const input = { data_type: 'trades', backlog, conflate: 'never' } as const
    for await (const { rows } of client['tail.follow'](input, { signal: stopping.signal }))
      seen.push(...seenIn(rows, nowMicros()))
  })().catch((error: unknown) => {
    if (!stopping.signal.aborted) throw error
  })
  onTestFinished(async () => {
    stopping.abort()
    await following
  })
  return seen
}

function seenIn({ columns, rowCount }: ColumnBatch, seenMicros: number): Seen[] {
  return Array.from({ length: rowCount }, (_, row) => ({
    symbol: cellOf(columns.symbol, row) as string,
    partition: Number(cellOf(columns._partition, row)),
    offset: Number(cellOf(columns._offset, row)),
    micros: Number(columns.exchange_timestamp.values[row]),
    seenMicros,
  }))
}
