// How many trades fell into each second of exchange time, for the last hour: what the timeline draws.

export interface Density {
  /** Exchange time of the newest trade, microseconds since 1970; 0 before the first. */
  edge: number
  /** The newest second when this window began to look, which it saw in part: from the next on it has seen all. */
  since: number
  counts: Uint32Array
  /** Which second a slot counts. */
  seconds: Float64Array
}

const HELD_SECONDS = 3600

export function createDensity(): Density {
  return {
    edge: 0,
    since: Infinity,
    counts: new Uint32Array(HELD_SECONDS),
    seconds: new Float64Array(HELD_SECONDS),
  }
}

/** `times` are microseconds since 1970, in any order. */
export function countTimes(density: Density, times: ArrayLike<number | bigint>, rowCount: number): void {
  for (let row = 0; row < rowCount; row++) {
    const time = Number(times[row])
    const second = Math.floor(time / 1e6)
    const slot = second % HELD_SECONDS
    if (time > density.edge) density.edge = time
    if (density.seconds[slot] > second) continue // later than an hour
    if (density.seconds[slot] < second) {
      density.seconds[slot] = second
      density.counts[slot] = 0
    }
    density.counts[slot]++
  }
  // Never lower: a late row says nothing of the others of its time.
  if (density.since === Infinity && rowCount > 0) density.since = Math.floor(density.edge / 1e6)
}

export function countIn(density: Density, second: number): number {
  const slot = second % HELD_SECONDS
  return density.seconds[slot] === second ? density.counts[slot] : 0
}
