// Chance that repeats: the same seed gives the same numbers on every machine. Made of 32-bit integer arithmetic only;
// Math.log, exp and the like may differ between engines in the last bit, so nothing in this folder uses them.

/** Numbers from 0 up to but not including 1. */
export type Random = () => number

const WARM_UP = 16

/** sfc32 by Chris Doty-Humphrey: passes PractRand, 4 words of state. */
export function createRandom(seed: number): Random {
  const state = Int32Array.of(0x9e3779b9, seed, 0x243f6a88, 1)
  const random = () => {
    const sum = (state[0] + state[1] + state[3]) | 0
    state[3] = state[3] + 1
    state[0] = state[1] ^ (state[1] >>> 9)
    state[1] = state[2] + (state[2] << 3)
    state[2] = ((state[2] << 21) | (state[2] >>> 11)) + sum
    return (sum >>> 0) / 2 ** 32
  }
  for (let i = 0; i < WARM_UP; i++) random()
  return random
}

/** A step of a random walk: mean 0, variance 1, never beyond 2.45. */
export function drawStep(random: Random): number {
  return (random() + random() - 1) * Math.sqrt(6)
}

/** Mean about 1, mostly small, now and then six times as much, as orders are. */
export function drawSize(random: Random): number {
  return 1 / (3 * (random() + 0.05))
}

const PLACES = 4096

/** As many places for each of `count` items as Zipf's law gives its rank: place floor(random × length) holds the item drawn. */
export function zipfPlaces(count: number): Uint16Array {
  const weights = Array.from({ length: count }, (_, rank) => 1 / (rank + 1))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const places = new Uint16Array(PLACES)
  let item = 0
  let filled = weights[0]
  for (let place = 0; place < PLACES; place++) {
    while (filled / total < (place + 0.5) / PLACES) filled += weights[++item]
    places[place] = item
  }
  return places
}
