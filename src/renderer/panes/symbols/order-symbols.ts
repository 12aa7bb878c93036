// Which symbols the list shows, and in which order.
import type { Instrument } from '../../stores/instruments.ts'
import type { Settings } from '../../stores/settings.ts'

const collator = new Intl.Collator('en', { numeric: true })

/**
 * Venue and symbol is an order in which nothing moves. By activity, the busiest come first, in steps of a third,
 * so that two that are about as busy do not change places all the time.
 */
export function orderSymbols(all: readonly Instrument[], filter: string, order: Settings['order']): Instrument[] {
  const words = filter.trim().toLowerCase().split(/\s+/)
  const found = all.filter(({ name, companyName }) => {
    const text = `${name} ${companyName ?? ''}`.toLowerCase()
    return words.every(word => text.includes(word))
  })
  const step = ({ tradesPerSecond }: Instrument) => Math.round(Math.log(tradesPerSecond + 0.01) / Math.log(1.33))
  return found.sort(
    (a, b) =>
      (order === 'activity' ? step(b) - step(a) : 0) ||
      collator.compare(a.exchange, b.exchange) ||
      collator.compare(a.symbol, b.symbol),
  )
}
