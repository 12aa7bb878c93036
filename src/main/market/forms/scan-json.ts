// JSON (RFC 8259) read where it lies: every value comes as a range of bytes, so a number keeps each digit it was written with.
// Whatever the bytes are, it ends: each one is looked at once, and nothing is nested deeper than a message has reason to be.
import { malformed } from '../decode-primitives.ts'
import { FOUND, makeRoom, type Draft, type Found } from './draft.ts'

const [TAB, LINE, RETURN, SPACE, QUOTE, PLUS, COMMA, MINUS, DOT] = [9, 10, 13, 32, 34, 43, 44, 45, 46]
const [ZERO, NINE, COLON, LARGE_E, OPEN_BRACKET, BACKSLASH, CLOSE_BRACKET, SMALL_E] = [48, 57, 58, 69, 91, 92, 93, 101]
const [OPEN_BRACE, CLOSE_BRACE] = [123, 125]
const DEEPEST = 32

/** Where reading is in a draft's bytes, and the value read last. */
export interface Scan {
  draft: Draft
  at: number
  end: number
  found: Found
  from: number
  to: number
}

export function createScan(draft: Draft): Scan {
  return { draft, at: 0, end: 0, found: FOUND.absent, from: 0, to: 0 }
}

/** Hands over each value with the name before it: bytes[nameFrom … nameTo) of the draft, and the value as the scan has it. */
export function scanObject(scan: Scan, onValue: (nameFrom: number, nameTo: number) => void): void {
  expectByte(scan, OPEN_BRACE, 'a JSON object')
  if (nextByte(scan) === CLOSE_BRACE) scan.at++
  else
    do {
      if (nextByte(scan) !== QUOTE) broken(scan, 'a name in quotes')
      readText(scan)
      const { from, to } = scan
      expectByte(scan, COLON, 'a colon')
      readValue(scan, 1)
      onValue(from, to)
    } while (isNextItem(scan, CLOSE_BRACE))
}

export function scanArray(scan: Scan, onValue: () => void): void {
  expectByte(scan, OPEN_BRACKET, 'a JSON array')
  if (nextByte(scan) === CLOSE_BRACKET) scan.at++
  else
    do {
      readValue(scan, 1)
      onValue()
    } while (isNextItem(scan, CLOSE_BRACKET))
}

export function expectEnd(scan: Scan): void {
  if (nextByte(scan) !== -1) broken(scan, 'the end')
}

function readValue(scan: Scan, depth: number): void {
  const byte = nextByte(scan)
  if (byte === QUOTE) readText(scan)
  else if (byte === MINUS || isDigit(byte)) readNumber(scan)
  else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) readNested(scan, depth + 1)
  else if (
    !readWord(scan, 'null', FOUND.null) &&
    !readWord(scan, 'true', FOUND.true) &&
    !readWord(scan, 'false', FOUND.false)
  )
    broken(scan, 'a value')
}

/** Only looked through: what is inside is read again by whoever wants it. */
function readNested(scan: Scan, depth: number): void {
  if (depth > DEEPEST) malformed(`The JSON is nested more than ${DEEPEST} deep`)
  const from = scan.at
  const isObject = scan.draft.bytes[scan.at++] === OPEN_BRACE
  const close = isObject ? CLOSE_BRACE : CLOSE_BRACKET
  // What is unescaped in here is not wanted yet.
  const { length } = scan.draft
  if (nextByte(scan) === close) scan.at++
  else
    do {
      if (isObject) {
        if (nextByte(scan) !== QUOTE) broken(scan, 'a name in quotes')
        readText(scan)
        expectByte(scan, COLON, 'a colon')
      }
      readValue(scan, depth)
    } while (isNextItem(scan, close))
  scan.draft.length = length
  setFound(scan, isObject ? FOUND.object : FOUND.array, from, scan.at)
}

function readText(scan: Scan): void {
  const { bytes } = scan.draft
  const from = ++scan.at
  for (; scan.at < scan.end; scan.at++) {
    const byte = bytes[scan.at]
    if (byte === QUOTE) return setFound(scan, FOUND.text, from, scan.at++)
    if (byte === BACKSLASH) return readEscapedText(scan, from)
    if (byte < SPACE) broken(scan, 'no control character')
  }
  broken(scan, 'the end of a text')
}

/** Rare: the text without its escapes is written behind the message. */
function readEscapedText(scan: Scan, from: number): void {
  const { draft } = scan
  const { bytes } = draft
  let at = scan.at
  while (at < scan.end && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1
  if (at >= scan.end) broken(scan, 'the end of a text')
  const text = unescaped(scan, bytes.toString('utf8', from, at))
  // As UTF-8 it would silently become another text.
  if (/\p{Surrogate}/u.test(text)) broken(scan, 'whole characters')
  scan.at = at + 1
  makeRoom(draft, text.length * 3)
  const start = draft.length
  draft.length += draft.bytes.write(text, start)
  setFound(scan, FOUND.text, start, draft.length)
}

function unescaped(scan: Scan, text: string): string {
  try {
    return JSON.parse(`"${text}"`) as string
  } catch {
    return broken(scan, 'a text with valid escapes')
  }
}

function readNumber(scan: Scan): void {
  const { bytes } = scan.draft
  const from = scan.at
  if (bytes[scan.at] === MINUS) scan.at++
  if (bytes[scan.at] === ZERO) scan.at++
  else readDigits(scan)
  if (scan.at < scan.end && bytes[scan.at] === DOT) {
    scan.at++
    readDigits(scan)
  }
  if (scan.at < scan.end && (bytes[scan.at] === SMALL_E || bytes[scan.at] === LARGE_E)) {
    scan.at++
    if (bytes[scan.at] === PLUS || bytes[scan.at] === MINUS) scan.at++
    readDigits(scan)
  }
  setFound(scan, FOUND.number, from, scan.at)
}

function readDigits(scan: Scan): void {
  const { bytes } = scan.draft
  const from = scan.at
  while (scan.at < scan.end && isDigit(bytes[scan.at])) scan.at++
  if (scan.at === from) broken(scan, 'a digit')
}

function readWord(scan: Scan, word: string, found: Found): boolean {
  const from = scan.at
  const to = from + word.length
  if (to > scan.end || scan.draft.bytes.toString('latin1', from, to) !== word) return false
  scan.at = to
  setFound(scan, found, from, to)
  return true
}

function isNextItem(scan: Scan, close: number): boolean {
  const byte = nextByte(scan)
  if (byte !== COMMA && byte !== close) broken(scan, `a comma or ${String.fromCharCode(close)}`)
  scan.at++
  return byte === COMMA
}

function expectByte(scan: Scan, byte: number, what: string): void {
  if (nextByte(scan) !== byte) broken(scan, what)
  scan.at++
}

/** The next one that is no white space; -1 at the end. */
function nextByte(scan: Scan): number {
  const { bytes } = scan.draft
  for (; scan.at < scan.end; scan.at++) {
    const byte = bytes[scan.at]
    if (byte !== SPACE && byte !== LINE && byte !== RETURN && byte !== TAB) return byte
  }
  return -1
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE
}

function setFound(scan: Scan, found: Found, from: number, to: number): void {
  scan.found = found
  scan.from = from
  scan.to = to
}

function broken(scan: Scan, expected: string): never {
  return malformed(`At byte ${scan.at} of the JSON, ${expected} is expected`)
}
