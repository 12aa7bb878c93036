// What bars are asked for: the instrument, the length, and the moment that the page shows.
import { timestampText } from '../../contract/columns.ts'
import type { Interval } from './bar-interval.ts'
import type { Instrument } from './instruments.ts'
import type { K2Client } from './link.ts'
import { pastStateOf, type Moment } from './moment.ts'

/** What the bars are of. */
export interface BarSubject {
  instrument: Instrument
  interval: Interval
  isOnMarket: boolean
  moment: Moment
}

/** Where a replay's clock is, for questions that end there. */
export interface ReplayEnd {
  untilMicros: number
  snapshotId?: string
}

type Question = Parameters<K2Client['bars.list']>[0]

/**
 * In a replay the session's snapshot up to its clock, so that the bar that is forming there is shown as far as it was
 * played; a session itself answers with whole bars only.
 */
export function questionOf(
  { instrument, interval, isOnMarket, moment }: BarSubject,
  end: ReplayEnd | undefined,
): Question {
  const conditions = isOnMarket ? ('on_market' as const) : ('all' as const)
  const what = { symbol: instrument.symbol, exchange: instrument.exchange, interval, conditions }
  if (moment.mode !== 'replay') return { ...what, ...pastStateOf(moment) }
  const { untilMicros, snapshotId } = end!
  return { ...what, end_time: timestampText(untilMicros), ...(snapshotId !== undefined && { snapshot_id: snapshotId }) }
}

/** What must be asked anew where it changes; a replay's clock is not of it. */
export function keyOf(subject: BarSubject | undefined): string {
  if (!subject) return ''
  const { instrument, interval, isOnMarket, moment } = subject
  return JSON.stringify([instrument.name, interval, isOnMarket, moment])
}
