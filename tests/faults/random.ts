// Numbers that look random and are the same again for the same seed.
/** A whole number below `most`. */
export type Random = (most: number) => number

export function randomOf(seed: number): Random {
  let state = seed >>> 0
  return most => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % most
  }
}
