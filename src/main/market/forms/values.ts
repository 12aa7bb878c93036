// What a value found in a message means for a column, exactly; what it cannot mean is said with its name and itself.
import { BadValue, BeyondLimits } from '../../base/values/bad-value.ts'
import { parseDate } from '../../base/values/parse-date.ts'
import { parseDecimal, parseLong } from '../../base/values/parse-number.ts'
import { parseInstant } from '../../base/values/parse-time.ts'
import { malformed } from '../decode-primitives.ts'
import { FOUND, rangeText, wordOf, type Draft } from './draft.ts'
import { createScan, expectEnd, scanArray, scanObject } from './scan-json.ts'

/** A time without an offset is UTC. */
const UTC = { instantOf: (wallMicros: number) => wallMicros }
/** Digits that a double may need and never exceeds. */
const DOUBLE_DIGITS = 17
const [FIRST_MICROS, END_MICROS] = [Date.UTC(1900, 0) * 1000, Date.UTC(2200, 0) * 1000]
const PLAIN_NUMBER = /^(-?\d+)(?:\.(\d+))?$/
/** One, at scale 8. */
const UNIT = 100_000_000n
const LONGEST_SHOWN = 60

/** Scale 8; a double while exact, 64-bit beyond. */
export function decimalOf(draft: Draft, slot: number): number | bigint {
  const { found, bytes, from, to, exact } = draft
  switch (found[slot]) {
    case FOUND.scaled:
      return exact[slot]
    case FOUND.whole:
      return parsed(draft, slot, () => parseDecimalText(String(exact[slot])))
    case FOUND.text:
      return parsed(draft, slot, () => parseDecimal(bytes, from[slot], to[slot]))
    case FOUND.number:
      return parsed(draft, slot, () => parseNumber(bytes, from[slot], to[slot]))
    default:
      return wrong(draft, slot, 'is not a number')
  }
}

/**
 * Exactly as written, if it can be. With more digits than that it is how some programs print a double, 0.1 as
 * 0.10000000000000001: then it is the shortest number that means the same double.
 */
function parseNumber(bytes: Buffer, from: number, to: number): number | bigint {
  try {
    return parseDecimal(bytes, from, to)
  } catch (error) {
    if (!(error instanceof BeyondLimits) || to - from < DOUBLE_DIGITS) throw error
    return parseDecimalText(String(Number(bytes.toString('latin1', from, to))))
  }
}

function parseDecimalText(text: string): number | bigint {
  const bytes = Buffer.from(text, 'latin1')
  return parseDecimal(bytes, 0, bytes.length)
}

export function longOf(draft: Draft, slot: number): number | bigint {
  const { found, bytes, from, to, exact } = draft
  switch (found[slot]) {
    case FOUND.whole:
      return exact[slot]
    case FOUND.text:
      return parsed(draft, slot, () => parseLong(bytes, from[slot], to[slot]))
    case FOUND.number: {
      const text = bytes.toString('latin1', from[slot], to[slot])
      if (/^-?\d+$/.test(text)) return parsed(draft, slot, () => parseLong(bytes, from[slot], to[slot]))
      // 5.0 and 1e3 are whole numbers too.
      const unscaled = BigInt(decimalOf(draft, slot))
      if (unscaled % UNIT === 0n) return Number(unscaled / UNIT)
      return wrong(draft, slot, 'is not a whole number')
    }
    default:
      return wrong(draft, slot, 'is not a whole number')
  }
}

/** Microseconds of a time that says its unit itself: ISO 8601, or a number of so many digits. */
export function microsOf(draft: Draft, slot: number): number {
  const { found, bytes, from, to, exact } = draft
  switch (found[slot]) {
    case FOUND.micros:
      return Number(exact[slot])
    case FOUND.whole: {
      const text = Buffer.from(String(exact[slot]), 'latin1')
      return parsed(draft, slot, () => parseInstant(text, 0, text.length, UTC))
    }
    case FOUND.text:
    case FOUND.number:
      return parsed(draft, slot, () => parseInstant(bytes, from[slot], to[slot], UTC))
    default:
      return wrong(draft, slot, 'is not a time')
  }
}

/** Of a slot in milliseconds; they may have decimals, of which those finer than a microsecond are cut. */
export function microsOfMillis(draft: Draft, slot: number): number {
  const found = draft.found[slot]
  if (found === FOUND.micros) return Number(draft.exact[slot])
  const text = found === FOUND.number || found === FOUND.text || found === FOUND.whole ? wordOf(draft, slot)! : ''
  const [, whole, fraction = ''] = PLAIN_NUMBER.exec(text) ?? PLAIN_NUMBER.exec(withoutExponent(text)) ?? []
  if (whole === undefined) return wrong(draft, slot, 'is not a number of milliseconds')
  const micros = Number(whole) * 1000 + Number(fraction.slice(0, 3).padEnd(3, '0')) * (whole.startsWith('-') ? -1 : 1)
  if (!(micros >= FIRST_MICROS && micros < END_MICROS))
    return malformed(`${quoted(draft, slot)} is not a time between 1900 and 2199`, 'out_of_range')
  return micros
}

/** As programs print large doubles; nothing for what is no number. */
function withoutExponent(text: string): string {
  return /[eE]/.test(text) && Number.isSafeInteger(Number(text)) ? String(Number(text)) : ''
}

/** Days since 1970. */
export function daysOf(draft: Draft, slot: number): number {
  const { found, exact } = draft
  if (found[slot] === FOUND.days) return Number(exact[slot])
  if (found[slot] === FOUND.micros) return Math.floor(Number(exact[slot]) / 86_400e6)
  if (found[slot] !== FOUND.text && found[slot] !== FOUND.number) return wrong(draft, slot, 'is not a date')
  return parsed(draft, slot, () => parseDate(rangeText(draft, slot)))
}

export function booleanOf(draft: Draft, slot: number): boolean {
  const word = wordOf(draft, slot)?.toLowerCase()
  if (word === 'true' || word === 'false') return word === 'true'
  return wrong(draft, slot, 'is neither true nor false')
}

/** One of the words, by the ways to write them in upper case. */
export function choiceOf(draft: Draft, slot: number, words: ReadonlyMap<string, string>): string {
  const written = draft.found[slot] === FOUND.text ? rangeText(draft, slot).toUpperCase() : ''
  return words.get(written) ?? wrong(draft, slot, `is none of ${[...new Set(words.values())].join(', ')}`)
}

export function itemsOf(draft: Draft, slot: number): readonly string[] {
  if (draft.found[slot] === FOUND.items) return draft.parts[slot] as readonly string[]
  if (draft.found[slot] !== FOUND.array) return wrong(draft, slot, 'is not a list of texts')
  const items: string[] = []
  const scan = scanOf(draft, slot)
  scanArray(scan, () => {
    if (scan.found !== FOUND.text && scan.found !== FOUND.number) wrong(draft, slot, 'is not a list of texts')
    items.push(draft.bytes.toString('utf8', scan.from, scan.to))
  })
  expectEnd(scan)
  return items
}

/** Texts by name; what is no text is taken as it is written, and null is left out. */
export function entriesOf(draft: Draft, slot: number): Readonly<Record<string, string>> {
  if (draft.found[slot] === FOUND.entries) return draft.parts[slot] as Readonly<Record<string, string>>
  if (draft.found[slot] !== FOUND.object) return wrong(draft, slot, 'is not an object')
  const entries = new Map<string, string>()
  const scan = scanOf(draft, slot)
  scanObject(scan, (nameFrom, nameTo) => {
    if (scan.found === FOUND.null) return
    entries.set(draft.bytes.toString('utf8', nameFrom, nameTo), draft.bytes.toString('utf8', scan.from, scan.to))
  })
  expectEnd(scan)
  return Object.fromEntries(entries)
}

function scanOf(draft: Draft, slot: number) {
  return { ...createScan(draft), at: draft.from[slot], end: draft.to[slot] }
}

function parsed<T>(draft: Draft, slot: number, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    if (!(error instanceof BadValue)) throw error
    const reason = error instanceof BeyondLimits ? 'out_of_range' : 'invalid_value'
    return malformed(`${quoted(draft, slot)} ${error.message}`, reason)
  }
}

export function wrong(draft: Draft, slot: number, what: string): never {
  return malformed(`${quoted(draft, slot)} ${what}`, 'invalid_value')
}

function quoted(draft: Draft, slot: number): string {
  const text = wordOf(draft, slot) ?? 'of this type'
  const shown = text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text
  return `${draft.names[slot]} ${draft.found[slot] === FOUND.text ? JSON.stringify(shown) : shown}`
}
