// One message on its way from another form to the full record: its values by name, as they were found and not yet judged.
// Texts and numbers stay where they are, as ranges of bytes; a draft is used again for every message.
import { decimalText, timestampText } from '../../../contract/columns.ts'
import { DECIMAL_SCALE } from '../avro-schemas.ts'

/** What was found in a slot. JSON knows the first half, Avro adds the rest. */
export const FOUND = {
  absent: 0,
  null: 1,
  /** A range: UTF-8 without escapes. */
  text: 2,
  /** A range: a number as JSON writes it. */
  number: 3,
  true: 4,
  false: 5,
  /** Ranges: JSON, known to be well-formed. */
  array: 6,
  object: 7,
  /** In `exact`: an integer; one at scale 8; microseconds and days since 1970. */
  whole: 8,
  scaled: 9,
  micros: 10,
  days: 11,
  /** In `parts`: texts, and texts by name. */
  items: 12,
  entries: 13,
  /** Something no column could take. */
  other: 14,
} as const
export type Found = (typeof FOUND)[keyof typeof FOUND]

export interface Draft {
  /** The message, and behind it what could not stay as it was written there. */
  bytes: Buffer
  length: number
  /** How many slots have a name of ours; those after them are what else the message says. */
  readonly known: number
  names: string[]
  found: Found[]
  from: number[]
  to: number[]
  exact: (number | bigint)[]
  parts: (readonly string[] | Readonly<Record<string, string>>)[]
}

export function createDraft(known: readonly string[]): Draft {
  const { length } = known
  return {
    bytes: Buffer.alloc(4096),
    length: 0,
    known: length,
    names: [...known],
    found: new Array<Found>(length).fill(FOUND.absent),
    from: new Array<number>(length).fill(0),
    to: new Array<number>(length).fill(0),
    exact: new Array<number | bigint>(length).fill(0),
    parts: new Array<Draft['parts'][number]>(length).fill([]),
  }
}

/** Empties it and copies a message in, with room for as much again behind it. */
export function beginDraft(draft: Draft, message: Buffer, from: number, to: number): void {
  draft.found.fill(FOUND.absent, 0, draft.known)
  draft.names.length = draft.found.length = draft.known
  draft.length = 0
  makeRoom(draft, 2 * (to - from))
  draft.length = message.copy(draft.bytes, 0, from, to)
}

export function makeRoom(draft: Draft, bytes: number): void {
  const needed = draft.length + bytes
  if (needed <= draft.bytes.length) return
  const larger = Buffer.alloc(Math.max(needed, draft.bytes.length * 2))
  draft.bytes.copy(larger, 0, 0, draft.length)
  draft.bytes = larger
}

export function setRange(draft: Draft, slot: number, found: Found, from: number, to: number): void {
  draft.found[slot] = found
  draft.from[slot] = from
  draft.to[slot] = to
}

export function setExact(draft: Draft, slot: number, found: Found, value: number | bigint): void {
  draft.found[slot] = found
  draft.exact[slot] = value
}

/** Text that is not in the message goes behind it. */
export function setText(draft: Draft, slot: number, found: Found, text: string): void {
  makeRoom(draft, text.length * 3)
  const from = draft.length
  draft.length += draft.bytes.write(text, from)
  setRange(draft, slot, found, from, draft.length)
}

/** A slot for a value whose name is none of ours. */
export function addSlot(draft: Draft, name: string): number {
  draft.found.push(FOUND.absent)
  return draft.names.push(name) - 1
}

export function hasValue(draft: Draft, slot: number): boolean {
  const found = draft.found[slot]
  // An empty text is how programs write that there is none.
  return found > FOUND.null && !(found === FOUND.text && draft.from[slot] === draft.to[slot])
}

export function rangeText({ bytes, from, to }: Draft, slot: number): string {
  return bytes.toString('utf8', from[slot], to[slot])
}

/** Any value as text; nothing where none can be made of it. */
export function wordOf(draft: Draft, slot: number): string | undefined {
  const value = draft.exact[slot]
  switch (draft.found[slot]) {
    case FOUND.text:
    case FOUND.number:
    case FOUND.array:
    case FOUND.object:
      return rangeText(draft, slot)
    case FOUND.true:
      return 'true'
    case FOUND.false:
      return 'false'
    case FOUND.whole:
      return String(value)
    case FOUND.scaled:
      return decimalText(value, DECIMAL_SCALE)
    case FOUND.micros:
      return timestampText(Number(value))
    case FOUND.days:
      return timestampText(Number(value) * 86_400e6).slice(0, 10)
    case FOUND.items:
    case FOUND.entries:
      return JSON.stringify(draft.parts[slot])
    default:
      return undefined
  }
}
