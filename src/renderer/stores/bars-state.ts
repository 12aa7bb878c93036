// What the chart's bars are to the page: which there are, and what one can do with the view of them.
import type { StoreApi } from 'zustand/vanilla'
import type { QueryMeta } from '../../contract/fields.ts'
import type { Bars } from './bar-columns.ts'
import type { Interval, IntervalChoice } from './bar-interval.ts'
import type { BarSubject, ReplayEnd } from './bar-questions.ts'
import type { Instrument } from './instruments.ts'
import type { Link } from './link.ts'
import type { Moment } from './moment.ts'

export interface BarsState {
  choice: IntervalChoice
  /** Without trades that were made elsewhere and reported, whose prices are not those of the book. */
  isOnMarket: boolean
  interval: Interval
  /** How many bars the view has room for. */
  count: number
  /** How many bars are newer than the view; at 0 it follows the newest. */
  behind: number
  bars: Bars
  /** Of `bars`; undefined until the first answer. */
  subject?: BarSubject
  hasOlder: boolean
  query?: QueryMeta
  isLoading: boolean
  failure?: string
}

export interface BarsContext {
  link: Link
  instrument: () => Instrument | undefined
  moment: StoreApi<Moment>
  /** Nothing while no session is open. */
  replayEnd: () => ReplayEnd | undefined
  /** Changes with every row of the instrument that arrives. */
  arrived: () => number
}

export interface BarsStore {
  state: StoreApi<BarsState>
  setWidth: (px: number) => void
  choose: (choice: IntervalChoice) => void
  toggleOffMarket: () => void
  /** Above 1 shows more bars. */
  zoom: (factor: number) => void
  /** So many bars back in time, or forward where it is below 0. */
  pan: (bars: number) => void
  toNewest: () => void
  retry: () => void
  /** To be called when the instrument or the end of a replay has changed. */
  wake: () => void
  close: () => void
}
