// Ids and sequence numbers of one instrument's trades or quotes, with rare gaps, as a feed that loses messages shows them.
import type { Random } from './random.ts'

export interface Numbering {
  id: number
  sequence: number
  messagesUntilGap: number
}

export const MEAN_MESSAGES_PER_GAP = 50_000
const MOST_MISSING = 3

/** Ids begin anywhere between 10^8 and 10^9, sequence numbers at 1, as after a venue's restart. */
export function createNumbering(random: Random): Numbering {
  return { id: Math.floor(1e8 + random() * 9e8), sequence: 0, messagesUntilGap: drawUntilGap(random) }
}

/** Numbers the next message. */
export function countMessage(numbering: Numbering, random: Random): void {
  numbering.id++
  numbering.sequence++
  if (--numbering.messagesUntilGap > 0) return
  numbering.sequence += 1 + Math.floor(random() * MOST_MISSING)
  numbering.messagesUntilGap = drawUntilGap(random)
}

function drawUntilGap(random: Random): number {
  return 1 + Math.floor(random() * 2 * MEAN_MESSAGES_PER_GAP)
}
