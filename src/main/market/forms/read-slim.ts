// A message of any Avro record into a draft: the slim form, and records that say a row's values in types of their own.
import { DECIMAL_SCALE, type AvroRecord, type AvroType } from '../avro-schemas.ts'
import { textOf } from '../decode-dictionary.ts'
import {
  malformed,
  Malformed,
  readCount,
  readDecimal,
  readIndex,
  readLong,
  readRescaledDecimal,
  readText,
  type Cursor,
} from '../decode-primitives.ts'
import { createSkippers, typeName, unwrap, type Attributes, type ReadField } from '../decode-skip.ts'
import { isExactAsDouble } from '../decode-rows.ts'
import { addSlot, FOUND, setExact, setRange, setText, type Draft, type Found } from './draft.ts'

/** Puts what the cursor reads into a slot. */
type ReadInto = (cursor: Cursor, slot: number) => void

/** Reads what `beginDraft` has put in; the cursor stands on the draft's bytes. */
export function compileSlimReader(
  schema: AvroRecord,
  draft: Draft,
  slotOf: ReadonlyMap<string, number>,
): (cursor: Cursor) => void {
  const skipOf = createSkippers()
  const fields = schema.fields.map(({ name, type }) => ({
    name,
    slot: slotOf.get(name),
    read: readerOf(type, draft, skipOf),
  }))
  return cursor => {
    for (const { name, slot, read } of fields) {
      const into = slot ?? addSlot(draft, name)
      try {
        read(cursor, into)
      } catch (error) {
        if (!(error instanceof Malformed)) throw error
        malformed(`${name}: ${error.message}`, error.reason)
      }
      if (cursor.at > cursor.end) malformed(`${name}: the message ends before it is whole`)
    }
    if (cursor.at !== cursor.end)
      malformed(`The message goes on for ${cursor.end - cursor.at} bytes after what its schema takes`)
  }
}

function readerOf(type: AvroType, draft: Draft, skipOf: (type: AvroType) => ReadField): ReadInto {
  const inner = unwrap(type)
  // Compiled in any case: a type that is named here may be referred to further down.
  const skip = skipOf(inner)
  if (Array.isArray(inner)) {
    const branches = inner.map(branch => readerOf(branch, draft, skipOf))
    return (cursor, slot) => branches[readIndex(cursor, branches.length)](cursor, slot)
  }
  const attributes: Attributes = typeof inner === 'string' ? {} : inner
  const logical = attributes.logicalType
  const just =
    (found: Found): ReadInto =>
    (cursor, slot) => {
      skip(cursor, slot)
      draft.found[slot] = found
    }
  switch (typeName(inner)) {
    case 'null':
      return just(FOUND.null)
    case 'string':
      return (cursor, slot) => {
        readText(cursor)
        setRange(draft, slot, FOUND.text, cursor.from, cursor.to)
      }
    case 'boolean':
      return (cursor, slot) => void (draft.found[slot] = cursor.bytes[cursor.at++] === 1 ? FOUND.true : FOUND.false)
    case 'int':
    case 'long':
      return longReader(draft, logical)
    case 'float':
      return numberReader(draft, 4, ({ view, at }) => shortestOfFloat(view.getFloat32(at, true)))
    case 'double':
      return numberReader(draft, 8, ({ view, at }) => String(view.getFloat64(at, true)))
    case 'bytes':
      return logical === 'decimal' ? decimalReader(draft, Number(attributes.scale ?? 0)) : just(FOUND.other)
    case 'enum': {
      const symbols = attributes.symbols as string[]
      return (cursor, slot) => setText(draft, slot, FOUND.text, symbols[readIndex(cursor, symbols.length)])
    }
    case 'array':
      return attributes.items === 'string' ? listReader(draft) : just(FOUND.other)
    case 'map':
      return attributes.values === 'string' ? mapReader(draft) : just(FOUND.other)
    default:
      return just(FOUND.other)
  }
}

const scratch = new Int32Array(2)

/** What was read into the scratch, exactly. */
function exactOf(): number | bigint {
  const [low, high] = scratch
  return isExactAsDouble(high) ? high * 2 ** 32 + (low >>> 0) : (BigInt(high) << 32n) | BigInt(low >>> 0)
}

function longReader(draft: Draft, logical: unknown): ReadInto {
  const micros = { 'timestamp-micros': 1, 'timestamp-millis': 1000 }[String(logical)]
  const found = micros ? FOUND.micros : logical === 'date' ? FOUND.days : FOUND.whole
  return (cursor, slot) => {
    readLong(cursor, scratch, 0)
    const value = exactOf()
    setExact(draft, slot, found, micros ? Number(value) * micros : value)
  }
}

function decimalReader(draft: Draft, scale: number): ReadInto {
  return (cursor, slot) => {
    if (scale === DECIMAL_SCALE) readDecimal(cursor, scratch, 0)
    else readRescaledDecimal(cursor, DECIMAL_SCALE - scale, scratch, 0)
    setExact(draft, slot, FOUND.scaled, exactOf())
  }
}

function numberReader(draft: Draft, size: number, textOfNumber: (cursor: Cursor) => string): ReadInto {
  return (cursor, slot) => {
    if (cursor.end - cursor.at < size) malformed('the message ends before it is whole')
    const text = textOfNumber(cursor)
    cursor.at += size
    // How programs without a null write that there is none.
    if (text === 'NaN') draft.found[slot] = FOUND.null
    else setText(draft, slot, FOUND.number, text)
  }
}

/** The fewest digits that mean this float and no other. */
function shortestOfFloat(value: number): string {
  for (let digits = 6; digits < 9; digits++) {
    const text = value.toPrecision(digits)
    if (Math.fround(Number(text)) === value) return String(Number(text))
  }
  return String(Number(value.toPrecision(9)))
}

function listReader(draft: Draft): ReadInto {
  return (cursor, slot) => {
    const items: string[] = []
    for (let count = readCount(cursor); count !== 0; count = readCount(cursor))
      for (; count > 0; count--) items.push(nextText(cursor))
    draft.found[slot] = FOUND.items
    draft.parts[slot] = items
  }
}

function mapReader(draft: Draft): ReadInto {
  return (cursor, slot) => {
    const entries: [string, string][] = []
    for (let count = readCount(cursor); count !== 0; count = readCount(cursor))
      for (; count > 0; count--) entries.push([nextText(cursor), nextText(cursor)])
    draft.found[slot] = FOUND.entries
    draft.parts[slot] = Object.fromEntries(entries)
  }
}

function nextText(cursor: Cursor): string {
  readText(cursor)
  return textOf(cursor.bytes, cursor.from, cursor.to)
}
