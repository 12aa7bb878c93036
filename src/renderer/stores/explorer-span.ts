// Which time the explorer's rows are of. Spans end at the newest row that there is, so that a market that sleeps, or a day
// of long ago, has a last hour too.
import { timestampMicros } from '../../contract/columns.ts'
import type { ExplorerFilter, ExplorerParts, RangeName } from './explorer.ts'
import { clientOf } from './held-result.ts'
import type { Instrument } from './instruments.ts'
import { pastStateOf } from './moment.ts'

const SPANS_SECONDS: Partial<Record<RangeName, number>> = { '15m': 900, '1h': 3600, '1d': 86_400 }

interface Asked {
  table: 'trades' | 'quotes'
  filter: ExplorerFilter
  /** Of all when left out. */
  instrument: Instrument | undefined
}

/** Microseconds since 1970; the start is in, the end is not. */
export async function spanOf(
  parts: Pick<ExplorerParts, 'link' | 'moment' | 'newestMicros'>,
  asked: Asked,
  signal: AbortSignal,
): Promise<{ fromMicros?: number; toMicros?: number }> {
  const { range, fromMicros, toMicros } = asked.filter
  if (range === 'between') return { fromMicros, toMicros }
  const seconds = SPANS_SECONDS[range]
  if (seconds === undefined) return {}
  const end = await newestOf(parts, asked, signal)
  return end === undefined ? {} : { fromMicros: end - seconds * 1e6 }
}

async function newestOf(
  { link, moment, newestMicros }: Pick<ExplorerParts, 'link' | 'moment' | 'newestMicros'>,
  { table, instrument }: Asked,
  signal: AbortSignal,
): Promise<number | undefined> {
  const now = moment.state.getState()
  if (now.mode === 'replay') return moment.clockMicros
  const live = now.mode === 'live' && (instrument ? instrument.lastTime : newestMicros())
  if (live) return live
  const one = instrument && { symbol: instrument.symbol, exchange: instrument.exchange }
  const { data } = await clientOf(link)['dates.range']({ data_type: table, ...one, ...pastStateOf(now) }, { signal })
  return data.last === null ? undefined : timestampMicros(data.last)
}
