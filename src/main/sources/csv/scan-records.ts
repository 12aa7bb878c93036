// Bytes into records and fields, as RFC 4180 has them; nothing is turned into text here.
//   record = field *("," field) (LF | CRLF | end);  field = *byte-but-comma-quote-newline | DQUOTE *(byte | 2DQUOTE) DQUOTE
// A record that is not well formed ends with its first line, so that a stray quote costs a line and not the file.

export interface CsvRecord {
  /** Where the fields lie; a field's outer quotes and the spaces around it are not in it. */
  bytes: Buffer
  starts: Int32Array
  ends: Int32Array
  fieldCount: number
  /** The line it begins in, from 1. */
  line: number
  /** What is wrong with its form; it has no fields then. */
  problem: string | undefined
}

export interface RecordScanner {
  /** The current record, overwritten by `next` and `feed`. */
  readonly record: CsvRecord
  /** More bytes; what was not yet given out is kept. They are the scanner's own from here on. */
  feed: (bytes: Buffer) => void
  /** No more bytes come: the last record may lack its newline. */
  end: () => void
  /** On to the next record; false when it is not there whole. Blank lines are passed over. */
  next: () => boolean
  /** The current record as it stands in the file, without its newline. */
  text: () => string
}

/** Longer records are refused: a quote that is never closed must not swallow the file. */
export const LONGEST_RECORD = 64 * 1024
const MOST_FIELDS = 1024
const [TAB, LF, CR, SPACE, QUOTE, COMMA] = [9, 10, 13, 32, 34, 44]

/** What an attempt to split a record gives instead of a place. */
const WANTS_MORE = -1
const BROKEN = -2

const NEVER_CLOSED = `has a quote that is not closed within ${LONGEST_RECORD} bytes`
const TOO_LONG = `is longer than ${LONGEST_RECORD} bytes`

export function createRecordScanner(): RecordScanner {
  const [starts, ends] = [new Int32Array(MOST_FIELDS), new Int32Array(MOST_FIELDS)]
  const record: CsvRecord = { bytes: Buffer.alloc(0), starts, ends, fieldCount: 0, line: 0, problem: undefined }
  let bytes = record.bytes
  let isLast = false
  /** The current record, and where and in which line the next one begins. */
  let [from, to, next, nextLine] = [0, 0, 0, 1]
  /** The line before was too long: its rest is passed over. */
  let isSkipping = false
  /** Fields in which quotes are doubled, and the record's bytes from before they were halved. */
  let doubled: number[] = []
  let original: Buffer | undefined
  let hasQuotes = false

  /** The end of the record at `from`, whose fields are then known. */
  function split(): number {
    const limit = bytes.length
    let at = from
    let count = 0
    for (;;) {
      while (at < limit && (bytes[at] === SPACE || bytes[at] === TAB)) at++
      if (at < limit && bytes[at] === QUOTE) {
        at = splitQuoted(at, count)
        if (at < 0) return at
      } else {
        const start = at
        let byte = 0
        while (at < limit && (byte = bytes[at]) !== COMMA && byte !== LF && byte !== QUOTE) at++
        if (at - from > LONGEST_RECORD) return broken(TOO_LONG)
        if (at === limit && !isLast) return WANTS_MORE
        // Were it let pass, lines could be made that are each scanned for a closing quote to no end.
        if (at < limit && byte === QUOTE) return broken('has a quote inside a field that does not begin with one')
        let end = at
        while (end > start && isPadding(bytes[end - 1])) end--
        starts[count] = start
        ends[count] = end
      }
      count++
      if (at === limit || bytes[at] === LF) break
      if (count === MOST_FIELDS) return broken(`has more than ${MOST_FIELDS} fields`)
      at++
    }
    record.fieldCount = count
    return at
  }

  /** The comma or newline after a quoted field. */
  function splitQuoted(opening: number, field: number): number {
    hasQuotes = true
    let at = opening + 1
    let isDoubled = false
    for (;;) {
      const quote = bytes.indexOf(QUOTE, at)
      const isMissing = quote < 0
      if ((isMissing ? bytes.length : quote) - from > LONGEST_RECORD || (isMissing && isLast)) {
        return broken(NEVER_CLOSED)
      }
      if (isMissing || (quote + 1 === bytes.length && !isLast)) return WANTS_MORE
      at = quote + 1
      if (bytes[at] !== QUOTE) break
      isDoubled = true
      at++
    }
    starts[field] = opening + 1
    ends[field] = at - 1
    while (at < bytes.length && isPadding(bytes[at])) at++
    if (at === bytes.length && !isLast) return WANTS_MORE
    if (at < bytes.length && bytes[at] !== COMMA && bytes[at] !== LF) {
      return broken('goes on after the quote that ends a field')
    }
    if (isDoubled) doubled.push(field)
    return at
  }

  function broken(problem: string): number {
    record.problem = problem
    return BROKEN
  }

  /** The end of the first line alone; without one in reach the rest of the line is passed over later. */
  function endOfLine(): number {
    const newline = bytes.indexOf(LF, from)
    if (newline >= 0) return newline
    if (isLast) return bytes.length
    if (bytes.length - from <= LONGEST_RECORD) return WANTS_MORE
    isSkipping = true
    return bytes.length
  }

  function skipRestOfLine(): void {
    const newline = bytes.indexOf(LF, next)
    next = newline < 0 ? bytes.length : newline + 1
    isSkipping = newline < 0
  }

  /** `""` becomes `"` where it stands, once the record is known to be whole. */
  function halveQuotes(): void {
    original = Buffer.from(bytes.subarray(from, to))
    for (const field of doubled) {
      let out = starts[field]
      for (let at = out; at < ends[field]; at++) {
        bytes[out++] = bytes[at]
        if (bytes[at] === QUOTE) at++
      }
      ends[field] = out
    }
  }

  function linesIn(): number {
    let lines = 1
    if (hasQuotes) for (let at = bytes.indexOf(LF, from); at >= 0 && at < to; at = bytes.indexOf(LF, at + 1)) lines++
    return lines
  }

  function scanNext(): boolean {
    from = next
    record.problem = undefined
    original = undefined
    hasQuotes = false
    if (doubled.length > 0) doubled = []
    let end = split()
    if (end === BROKEN) {
      record.fieldCount = 0
      hasQuotes = false
      doubled = []
      end = endOfLine()
    }
    if (end === WANTS_MORE) return false
    to = end
    next = Math.min(end + 1, bytes.length)
    record.line = nextLine
    nextLine += linesIn()
    if (doubled.length > 0) halveQuotes()
    return true
  }

  const isBlank = () => record.fieldCount === 1 && starts[0] === ends[0]

  return {
    record,
    feed(more) {
      bytes = next === bytes.length ? more : Buffer.concat([bytes.subarray(next), more])
      record.bytes = bytes
      next = 0
    },
    end() {
      isLast = true
    },
    next() {
      if (isSkipping) skipRestOfLine()
      while (next < bytes.length) {
        if (!scanNext()) return false
        if (!isBlank()) return true
      }
      return false
    },
    text() {
      const source = original ?? bytes.subarray(from, to)
      return source.toString('utf8').replace(/\r$/, '')
    },
  }
}

function isPadding(byte: number): boolean {
  return byte === SPACE || byte === TAB || byte === CR
}
