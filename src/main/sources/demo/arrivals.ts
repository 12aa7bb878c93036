// When the next message comes and which instrument it is of: Zipf's law by instrument, the day's U by venue, and bursts.
import { crypto, equities } from './instruments.ts'
import { zipfPlaces, type Random } from './random.ts'

export interface Arrivals {
  /** Messages per second of market time on average. */
  density: number
  /** Microseconds of market time from the last message to the next one. */
  waitMicros: number
  burst: {
    /** The way prices go, 1 up or -1 down; 0 when there is no burst. */
    direction: number
    /** Place of its instrument in `instruments`. */
    place: number
    messagesLeft: number
  }
}

export const instruments = [...equities, ...crypto]

// One message in six belongs to a burst: 80 / (400 + 80). These come four times as fast and the rest a little slower,
// so that the density holds: 1/6 × 1/4 + 5/6 × 23/20 = 1.
const MESSAGES_BETWEEN_BURSTS = 400
const BURST_MESSAGES = { least: 20, most: 140 }
const BURST_WAIT = 1 / 4
const CALM_WAIT = 23 / 20
/** How many of a burst's messages are its own instrument's. */
const BURST_SHARE = 0.7
/** Messages of equities to one of crypto, on average; the U of their day makes it 0.8 to 2.8. */
const EQUITY_WEIGHT = 1.5

const equityPlaces = zipfPlaces(equities.length)
const cryptoPlaces = zipfPlaces(crypto.length)

export function createArrivals(density: number, random: Random): Arrivals {
  const arrivals = { density, waitMicros: 0, burst: { direction: 0, place: 0, messagesLeft: 0 } }
  drawWait(arrivals, random)
  return arrivals
}

/** Many short waits and few long ones, at most 3.5 times the mean. */
export function drawWait(arrivals: Arrivals, random: Random): void {
  const chance = random()
  const pace = arrivals.burst.direction === 0 ? CALM_WAIT : BURST_WAIT
  arrivals.waitMicros = (1e6 / arrivals.density) * pace * 3 * chance * chance
}

/** What is left of the wait shrinks or grows with it. */
export function setDensity(arrivals: Arrivals, density: number): void {
  arrivals.waitMicros *= arrivals.density / density
  arrivals.density = density
}

/** Place in `instruments` of the next message's; `activity` is the equities' at this time of their day. */
export function drawPlace({ burst }: Arrivals, activity: number, random: Random): number {
  if (burst.messagesLeft > 0) burst.messagesLeft--
  else if (random() < 1 / MESSAGES_BETWEEN_BURSTS) startBurst(burst, activity, random)
  else burst.direction = 0
  return burst.direction !== 0 && random() < BURST_SHARE ? burst.place : drawAnyPlace(activity, random)
}

function startBurst(burst: Arrivals['burst'], activity: number, random: Random): void {
  const { least, most } = BURST_MESSAGES
  burst.direction = random() < 0.5 ? -1 : 1
  burst.place = drawAnyPlace(activity, random)
  burst.messagesLeft = least + Math.floor(random() * (most - least + 1)) - 1
}

function drawAnyPlace(activity: number, random: Random): number {
  const weight = EQUITY_WEIGHT * activity
  const isEquity = random() * (1 + weight) < weight
  const places = isEquity ? equityPlaces : cryptoPlaces
  const place = places[Math.floor(random() * places.length)]
  return isEquity ? place : equities.length + place
}
