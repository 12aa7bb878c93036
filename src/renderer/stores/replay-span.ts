// Which time there is to replay: the last row of an instrument, and the first one of a day.
import { timestampMicros, timestampText } from '../../contract/columns.ts'
import type { TimeSpan } from './exchange-day.ts'
import type { Instrument } from './instruments.ts'
import type { K2Client } from './link.ts'

/** Nothing where there is no row. */
export async function lastRowOf(client: K2Client, { symbol, exchange }: Instrument, signal: AbortSignal) {
  const { data } = await client['dates.range']({ symbol, exchange }, { signal })
  return data.last === null ? undefined : timestampMicros(data.last)
}

/** The beginning of the minute in which the day's first row is. */
export async function firstRowIn(
  client: K2Client,
  { symbol, exchange }: Instrument,
  day: TimeSpan,
  signal: AbortSignal,
) {
  const question = {
    symbol,
    exchange,
    start_time: timestampText(day.fromMicros),
    end_time: timestampText(day.toMicros),
    order: 'asc' as const,
    limit: 1,
  }
  const found = await Promise.all([
    client['trades.list'](question, { signal }),
    client['quotes.list'](question, { signal }),
  ])
  const times = found.flatMap(({ data }) => Array.from(data.columns.exchange_timestamp.values, Number))
  return times.length === 0 ? undefined : Math.floor(Math.min(...times) / 60e6) * 60e6
}
