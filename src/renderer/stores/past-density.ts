// How many trades the tables have in each stretch of time: for what the timeline shows and this window has not counted itself.
import type { K2Client, Link } from './link.ts'
import type { PastState } from './moment.ts'

export interface DensityWish {
  /** Of all when left out. */
  instrument?: { symbol: string; exchange: string }
  past: Pick<PastState, 'snapshot_id'>
  /** Of a stretch; whole seconds. */
  stepSeconds: number
  /** Seconds since 1970; wanted up to `neededTo`, and asked up to `to`, so that what slides on need not be asked again. */
  from: number
  neededTo: number
  to: number
}

export interface PastDensity {
  /** To be called whenever it is drawn: the counts by stretch, as far as they are there; asks for them where they are not. */
  want: (wish: DensityWish) => ReadonlyMap<number, number> | undefined
  close: () => void
}

/** What slides on, or fails, is asked for again after this. */
const AGAIN_MS = 5000
const MOST_STRETCHES = 5000

export function createPastDensity(link: Link): PastDensity {
  let asking: { key: string; stop: AbortController } | undefined
  let held: { key: string; from: number; to: number; counts: ReadonlyMap<number, number> } | undefined
  let asked = { key: '', atMs: -Infinity }

  async function ask(client: K2Client, key: string, wish: DensityWish): Promise<void> {
    asking?.stop.abort()
    const mine = (asking = { key, stop: new AbortController() })
    asked = { key, atMs: performance.now() }
    try {
      const counts = await countTrades(client, wish, mine.stop.signal)
      held = { key, from: wish.from, to: wish.to, counts }
    } catch {
      // The timeline says that it does not know; the panes say why.
    } finally {
      if (asking === mine) asking = undefined
    }
  }

  return {
    want(wish) {
      const { instrument, past, stepSeconds, from, neededTo } = wish
      const key = JSON.stringify([instrument?.symbol, instrument?.exchange, past.snapshot_id, stepSeconds])
      const counts = held?.key === key ? held.counts : undefined
      if (counts && held!.from <= from && held!.to >= neededTo) return counts
      const { client } = link.store.getState()
      const isDue = asked.key !== key || performance.now() - asked.atMs > AGAIN_MS
      if (client && isDue && asking?.key !== key) void ask(client, key, wish)
      return counts
    },
    close: () => asking?.stop.abort(),
  }
}

async function countTrades(client: K2Client, wish: DensityWish, signal: AbortSignal): Promise<Map<number, number>> {
  const { instrument, past, stepSeconds, from, to } = wish
  const one = instrument ? ' AND symbol = ? AND exchange = ?' : ''
  const { data } = await client['sql.run'](
    {
      sql:
        'SELECT epoch_us(exchange_timestamp) // ? AS stretch, count(*) AS trades FROM trades ' +
        `WHERE exchange_timestamp >= to_timestamp(?) AND exchange_timestamp < to_timestamp(?)${one} GROUP BY stretch`,
      params: [stepSeconds * 1e6, from, to, ...(instrument ? [instrument.symbol, instrument.exchange] : [])],
      limit: MOST_STRETCHES,
      ...past,
    },
    { signal },
  )
  const { stretch, trades } = data.columns
  return new Map(
    Array.from({ length: data.rowCount }, (_, row) => [Number(stretch.values[row]), Number(trades.values[row])]),
  )
}
