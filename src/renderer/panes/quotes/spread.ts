// The spread of a quote, in ticks and in price, and its middle; exact.
import { unscaledAt } from '../../stores/ring.ts'
import type { QuoteFeed, QuoteRing } from '../../stores/quotes.ts'
import { groupedDecimal } from '../../ui/decimal-text.ts'

export interface Spread {
  /** "1 tick", "2.5 ticks", "locked", "crossed by 1 tick"; empty for a one-sided book. */
  ticks: string
  price: string
  middle: string
}

const NONE: Spread = { ticks: '', price: '', middle: '' }

export function spreadAt(
  ring: QuoteRing,
  slot: number,
  feed: Pick<QuoteFeed, 'tick' | 'tickScale' | 'decimals'>,
): Spread {
  const { bid_price, ask_price } = ring.decimals
  const bid = unscaledAt(bid_price, slot)
  const ask = unscaledAt(ask_price, slot)
  if (bid === null || ask === null) return NONE
  const scale = Math.max(bid_price.scale[slot], ask_price.scale[slot])
  const bidAt = rescale(bid, bid_price.scale[slot], scale)
  const askAt = rescale(ask, ask_price.scale[slot], scale)
  const wide = askAt - bidAt
  return {
    ticks: ticksText(wide, scale, feed),
    price: groupedDecimal(wide, scale, feed.decimals),
    middle: groupedDecimal((bidAt + askAt) * 5n, scale + 1, feed.decimals),
  }
}

function ticksText(wide: bigint, scale: number, { tick, tickScale }: Pick<QuoteFeed, 'tick' | 'tickScale'>): string {
  if (wide === 0n) return 'locked'
  if (tick === 0) return ''
  const ticks = Number(wide < 0n ? -wide : wide) / 10 ** scale / (tick / 10 ** tickScale)
  const rounded = Math.round(ticks * 10) / 10
  const text = `${rounded} ${rounded === 1 ? 'tick' : 'ticks'}`
  return wide < 0n ? `crossed by ${text}` : text
}

function rescale(unscaled: number | bigint, from: number, to: number): bigint {
  return BigInt(unscaled) * 10n ** BigInt(to - from)
}

/** Share of the bid in what is on offer on both sides, 0 to 1; half when nothing is. */
export function bidShare(ring: QuoteRing, slot: number): number {
  const { bid_quantity: bid, ask_quantity: ask } = ring.decimals
  const bids = (bid.unscaled[slot] || 0) / 10 ** bid.scale[slot]
  const asks = (ask.unscaled[slot] || 0) / 10 ** ask.scale[slot]
  return bids + asks === 0 ? 0.5 : bids / (bids + asks)
}
