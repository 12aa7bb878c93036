// When a source has begun to number anew within one of its days, instead of having sent an old row late. The gap check and
// what it goes on from after a restart must judge alike.

/** A number that starts anew within a day comes with a time so much later; a late one comes with an earlier one. */
export const RESTART_MICROS = 1e6

interface Numbered {
  sequence: bigint
  exchangeMicros: number
}

/** Whether a 0 or 1 is a new beginning after what was highest before it. */
export function isRestart(highest: Numbered, first: Numbered): boolean {
  return first.sequence < highest.sequence && first.exchangeMicros - highest.exchangeMicros >= RESTART_MICROS
}
