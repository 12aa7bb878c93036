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
  /** To be called whenever it is drawn: the counts by stretch, when all wanted ones are there; asks for them when they are not. */
  want: (wish: DensityWish) => ReadonlyMap<number, number> | undefined
  close: () => void
}

/** What failed is asked for again after this; what was not asked for yet at once. */
const AGAIN_MS = 5000
const MOST_STRETCHES = 5000

interface Asked {
  /** All of a wish but its times. */
  key: string
  from: number
  to: number
}

export function createPastDensity(link: Link): PastDensity {
  let asking: AbortController | undefined
  let held: (Asked & { counts: ReadonlyMap<number, number> }) | undefined
  let asked: (Asked & { atMs: number }) | undefined

  async function ask(client: K2Client, key: string, wish: DensityWish): Promise<void> {
    asking?.abort()
    const mine = (asking = new AbortController())
    const { from, to } = wish
    asked = { key, from, to, atMs: performance.now() }
    try {
      const counts = await countTrades(client, wish, mine.signal)
      held = { key, from, to, counts }
    } catch {
      // The timeline says that it does not know; the panes say why.
    } finally {
      if (asking === mine) asking = undefined
    }
  }

  return {
    want(wish) {
      const { instrument, past, stepSeconds } = wish
      const key = JSON.stringify([instrument?.symbol, instrument?.exchange, past.snapshot_id, stepSeconds])
      if (held && covers(held, key, wish)) return held.counts
      const { client } = link.store.getState()
      const wasAsked = asked && covers(asked, key, wish)
      const isDue = !wasAsked || (!asking && performance.now() - asked!.atMs > AGAIN_MS)
      if (client && isDue) void ask(client, key, wish)
      return undefined
    },
    close: () => asking?.abort(),
  }
}

function covers(asked: Asked, key: string, { from, neededTo }: DensityWish): boolean {
  return asked.key === key && asked.from <= from && asked.to >= neededTo
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
