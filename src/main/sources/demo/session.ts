// The day of the demo's equities: half an hour of market time, over and over from the moment the market starts.
//   open 29:45, first print an auction's · closing call 5 s, quotes only · closed 10 s, one auction print, then quotes only

/** Phases numbered through the days: 3 × day + phase. */
export type Period = number

const OPEN = 0
const CLOSING_CALL = 1
const CLOSED = 2

export const DAY_MICROS = 1800e6
export const OPEN_MICROS = 1785e6
export const CALL_MICROS = 5e6

/** `elapsedMicros` of market time since the market started. */
export function periodAt(elapsedMicros: number): Period {
  const day = Math.floor(elapsedMicros / DAY_MICROS)
  const time = elapsedMicros - day * DAY_MICROS
  if (time < OPEN_MICROS) return 3 * day + OPEN
  return 3 * day + (time < OPEN_MICROS + CALL_MICROS ? CLOSING_CALL : CLOSED)
}

export function isOpen(period: Period): boolean {
  return period % 3 === OPEN
}

/** Each open and each closed phase begins with an auction's print; `printedIn` is the period of the last one. */
export function isAuctionDue(period: Period, printedIn: Period): boolean {
  return period !== printedIn && period % 3 !== CLOSING_CALL
}

/** The U of a trading day: 1.9 at open and close, 0.55 in the middle, 1 on average. */
export function activityAt(elapsedMicros: number): number {
  const place = Math.min((elapsedMicros % DAY_MICROS) / OPEN_MICROS, 1) * 2 - 1
  return 0.55 + 1.35 * place * place
}
