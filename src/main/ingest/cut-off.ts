// Where a stream has to stop that may not pass a gap or a dead letter: what lies before it stays, the rest is left to the log.
import { Failure } from '../../contract/failure.ts'
import type { DeadLetter, Gap, TakenIn } from './intake.ts'
import { filterRows } from './slice-batch.ts'

export interface StopPolicy {
  onGap: 'continue' | 'halt'
  onDeadLetter: 'skip' | 'suspend'
}

export type CutOff = { gap: Gap } | { deadLetter: DeadLetter }

/** By partition, the first message that may not be passed. */
export type CutOffs = ReadonlyMap<number, CutOff>

export function findCutOffs({ gaps, deadLetters }: TakenIn, { onGap, onDeadLetter }: StopPolicy): CutOffs {
  const found = new Map<number, CutOff>()
  const add = (partition: number, offset: number, cutOff: CutOff) => {
    const known = found.get(partition)
    if (!known || offset < offsetOf(known)) found.set(partition, cutOff)
  }
  if (onGap === 'halt') for (const gap of gaps) if (gap.severity === 'critical') add(gap.partition, gap.offset, { gap })
  if (onDeadLetter === 'suspend')
    for (const deadLetter of deadLetters) add(deadLetter.partition, deadLetter.offset, { deadLetter })
  return found
}

export function offsetOf(cutOff: CutOff): number {
  return 'gap' in cutOff ? cutOff.gap.offset : cutOff.deadLetter.offset
}

/** Of one topic. The gap itself stays, as it is to be recorded; its message does not. */
export function cutTaken(taken: TakenIn, cutOffs: CutOffs): TakenIn {
  if (cutOffs.size === 0) return taken
  const { _partition: partitions, _offset: offsets } = taken.rows.columns
  const isBefore = (partition: number, offset: number) => {
    const cutOff = cutOffs.get(partition)
    return cutOff === undefined || offset < offsetOf(cutOff)
  }
  const isTheOne = (gap: Gap) => {
    const cutOff = cutOffs.get(gap.partition)
    return cutOff !== undefined && 'gap' in cutOff && cutOff.gap === gap
  }
  return {
    ...taken,
    rows: filterRows(taken.rows, row => isBefore(Number(partitions.values[row]), Number(offsets.values[row]))),
    deadLetters: taken.deadLetters.filter(({ partition, offset }) => isBefore(partition, offset)),
    gaps: taken.gaps.filter(gap => isBefore(gap.partition, gap.offset) || isTheOne(gap)),
  }
}

/** What to tell whoever asked to be stopped. */
export function stoppedAt(cutOff: CutOff): Failure {
  if ('gap' in cutOff) {
    const { topic, partition, offset, symbol, exchange, expected, received } = cutOff.gap
    const what = `${received - expected} messages of ${symbol} on ${exchange} are missing before offset ${offset} of partition ${partition} of ${topic}`
    const state = 'What lies before is committed and the gap is recorded; nothing after it was written.'
    const advice = 'Fill the gap at its source, or start again with --on-gap continue to pass it.'
    return new Failure('CONFLICT', `Halted: ${what}. ${state} ${advice}`, {
      details: {
        state: 'halted',
        topic,
        partition,
        offset,
        symbol,
        exchange,
        expected: String(expected),
        received: String(received),
      },
      retryable: false,
    })
  }
  const { topic, partition, offset, reason, error } = cutOff.deadLetter
  const what = `the message at offset ${offset} of partition ${partition} of ${topic} cannot be written (${reason}: ${error})`
  const advice = 'Mend what is wrong with it and start again, or start with --on-dead-letter skip to set it aside.'
  return new Failure('CORRUPT', `Suspended: ${what}. What lies before is committed, and the log keeps it. ${advice}`, {
    details: { state: 'suspended', topic, partition, offset, reason },
  })
}
