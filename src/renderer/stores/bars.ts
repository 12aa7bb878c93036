// Bars of the selected instrument at the page's moment: loaded for the width of the chart, further back as one goes
// there, and renewed as trades come. One question at a time; what is shown stays until its successor has come.
import { createStore } from 'zustand/vanilla'
import { timestampText } from '../../contract/columns.ts'
import { keyOf, questionOf, type BarSubject } from './bar-questions.ts'
import type { BarsContext, BarsState, BarsStore } from './bars-state.ts'
import { barsOfLatestTime, countBefore, joinBars, NO_BARS, readBars, sliceBars } from './bar-columns.ts'
import { finerFor, intervalFor, usualBars, zoomBy, type Interval } from './bar-interval.ts'
import { pause, type K2Client } from './link.ts'
import { whileConnected } from './poll.ts'

const LIVE_EVERY_MS = 1000
const QUIET_EVERY_MS = 10_000
const REPLAY_EVERY_MS = 200
const RETRY_MS = 3000
const MOST_ASKED = 10_000
/** Nine numbers each; further back than this one takes a longer interval. */
const MOST_HELD = 100_000

export function createBars({ link, instrument, moment, replayEnd, arrived }: BarsContext): BarsStore {
  let widthPx = 800
  const interval = intervalFor(widthPx)
  const state = createStore<BarsState>(() => ({
    choice: 'auto',
    isOnMarket: false,
    interval,
    count: usualBars(widthPx),
    behind: 0,
    bars: NO_BARS,
    hasOlder: false,
    isLoading: false,
  }))
  let wakeUp = new AbortController()
  let asking: { key: string; stop: AbortController } | undefined
  let shownKey = ''
  let seen = { arrived: -1, untilMicros: -1, atMs: 0 }
  let hasSize = false
  let suited = ''

  function wake(): void {
    wakeUp.abort()
    if (asking && asking.key !== keyOf(wanted())) asking.stop.abort()
  }

  function wanted(): BarSubject | undefined {
    const chosen = instrument()
    if (!chosen || (moment.getState().mode === 'replay' && !replayEnd())) return undefined
    const { interval, isOnMarket } = state.getState()
    return { instrument: chosen, interval, isOnMarket, moment: moment.getState() }
  }

  /** What is to be done next; nothing when all is as it should be. */
  function nextWork(subject: BarSubject): ((client: K2Client, signal: AbortSignal) => Promise<void>) | undefined {
    const { bars, count, behind, hasOlder } = state.getState()
    if (keyOf(subject) !== shownKey) return (client, signal) => loadNewest(client, subject, signal)
    const missing = count * 1.5 + behind - bars.start.length
    if (missing > 0 && hasOlder && bars.start.length < MOST_HELD)
      return (client, signal) => loadOlder(client, subject, Math.ceil(missing + count), signal)
    return isRenewalDue(subject) ? (client, signal) => renew(client, subject, signal) : undefined
  }

  function isRenewalDue({ moment }: BarSubject): boolean {
    if (moment.mode === 'as_of') return false
    if (moment.mode === 'replay') return replayEnd()!.untilMicros !== seen.untilMicros
    const silentMs = performance.now() - seen.atMs
    return silentMs >= QUIET_EVERY_MS || (silentMs >= LIVE_EVERY_MS && arrived() !== seen.arrived)
  }

  function look(): void {
    seen = { arrived: arrived(), untilMicros: replayEnd()?.untilMicros ?? -1, atMs: performance.now() }
  }

  async function loadNewest(client: K2Client, subject: BarSubject, signal: AbortSignal): Promise<void> {
    state.setState({ isLoading: true })
    look()
    const { count, behind } = state.getState()
    const limit = Math.min(MOST_ASKED, Math.ceil(count * 2 + behind))
    const { data, query, pagination } = await client['bars.list'](
      { ...questionOf(subject, replayEnd()), limit },
      { signal },
    )
    const bars = readBars(data)
    shownKey = keyOf(subject)
    show({ subject, bars, query, hasOlder: pagination?.has_more ?? false })
    suitInterval(subject)
  }

  /** Once for every instrument: where it has traded for minutes only, shorter bars say more. */
  function suitInterval({ instrument, interval }: BarSubject): void {
    const { choice, bars, count } = state.getState()
    if (choice !== 'auto' || instrument.name === suited) return
    suited = instrument.name
    const finer = finerFor(interval, barsOfLatestTime(bars), count)
    if (finer !== interval) state.setState({ interval: finer })
  }

  async function loadOlder(client: K2Client, subject: BarSubject, count: number, signal: AbortSignal): Promise<void> {
    state.setState({ isLoading: true })
    const { bars } = state.getState()
    const question = { ...questionOf(subject, replayEnd()), end_time: timestampText(bars.start[0]), live: undefined }
    const limit = Math.min(MOST_ASKED, count)
    const { data, pagination } = await client['bars.list']({ ...question, limit }, { signal })
    show({ bars: joinBars(readBars(data), bars), hasOlder: pagination?.has_more ?? false })
  }

  /** Asks for the last bar anew, as it was still forming, and for what came after it. */
  async function renew(client: K2Client, subject: BarSubject, signal: AbortSignal): Promise<void> {
    look()
    const before = state.getState().bars
    const end = subject.moment.mode === 'replay' ? replayEnd()!.untilMicros : Infinity
    const held = countBefore(before.start, end)
    if (held === 0) return loadNewest(client, subject, signal)
    const question = {
      ...questionOf(subject, replayEnd()),
      start_time: timestampText(before.start[held - 1]),
      limit: 1000,
    }
    const { data, query, pagination } = await client['bars.list'](question, { signal })
    if (pagination?.has_more) return loadNewest(client, subject, signal)
    const newest = readBars(data)
    const { bars, behind } = state.getState()
    const joined = joinBars(sliceBars(bars, 0, held - (newest.start.length === 0 ? 1 : 0)), newest)
    // Who looks at the past goes on seeing it.
    const added = behind > 0 ? joined.start.length - bars.start.length : 0
    show({ bars: joined, query, behind: Math.max(0, behind + added) })
  }

  function show(change: Partial<BarsState>): void {
    state.setState({ ...change, isLoading: false, failure: undefined })
    keepInside()
  }

  function keepInside(): void {
    const { behind, bars, count, hasOlder } = state.getState()
    const most = Math.max(0, bars.start.length - (hasOlder ? Math.min(count, 8) : Math.min(count, bars.start.length)))
    if (behind > most) state.setState({ behind: most })
  }

  const stopWork = whileConnected(link, async (client, over) => {
    while (!over.aborted) {
      wakeUp = new AbortController()
      const subject = wanted()
      if (!subject && shownKey !== '' && !instrument()) {
        shownKey = ''
        state.setState({ bars: NO_BARS, subject: undefined, query: undefined, isLoading: false })
      }
      const work = subject && hasSize && nextWork(subject)
      if (work) await ask(work, subject, client, over)
      else {
        const everyMs = moment.getState().mode === 'replay' ? REPLAY_EVERY_MS : LIVE_EVERY_MS
        await pause(everyMs, AbortSignal.any([over, wakeUp.signal]))
      }
    }
  })

  async function ask(
    work: (client: K2Client, signal: AbortSignal) => Promise<void>,
    subject: BarSubject,
    client: K2Client,
    over: AbortSignal,
  ): Promise<void> {
    const stop = new AbortController()
    asking = { key: keyOf(subject), stop }
    try {
      await work(client, AbortSignal.any([over, stop.signal]))
    } catch (failure) {
      if (over.aborted || stop.signal.aborted) return
      state.setState({ failure: (failure as Error).message, isLoading: false })
      await pause(RETRY_MS, AbortSignal.any([over, wakeUp.signal]))
    } finally {
      asking = undefined
    }
  }

  function setZoom(next: { interval: Interval; count: number }): void {
    const { interval, count, behind } = state.getState()
    const isSame = next.interval === interval
    state.setState({ ...next, behind: isSame ? behind : Math.round((behind * next.count) / count) })
    keepInside()
    wake()
  }

  const unsubscribe = moment.subscribe(wake)
  return {
    state,
    setWidth(px) {
      const { choice, count } = state.getState()
      const isFirst = !hasSize
      const scaled = isFirst ? usualBars(px) : Math.max(8, Math.round((count * px) / widthPx))
      widthPx = px
      hasSize = true
      state.setState({ count: scaled, ...(isFirst && choice === 'auto' && { interval: intervalFor(px) }) })
      wake()
    },
    choose(choice) {
      const next = choice === 'auto' ? intervalFor(widthPx) : choice
      state.setState({ choice, interval: next, count: usualBars(widthPx), behind: 0 })
      wake()
    },
    toggleOffMarket() {
      state.setState(({ isOnMarket }) => ({ isOnMarket: !isOnMarket }))
      wake()
    },
    zoom(factor) {
      const { choice, interval, count } = state.getState()
      setZoom(zoomBy({ interval, count }, factor, widthPx, choice === 'auto'))
    },
    pan(bars) {
      const { behind } = state.getState()
      state.setState({ behind: Math.max(0, behind + bars) })
      keepInside()
      wake()
    },
    toNewest() {
      state.setState({ behind: 0 })
      wake()
    },
    retry() {
      seen = { ...seen, atMs: 0, untilMicros: -1 }
      wake()
    },
    wake,
    close() {
      unsubscribe()
      stopWork()
      wakeUp.abort()
    },
  }
}
