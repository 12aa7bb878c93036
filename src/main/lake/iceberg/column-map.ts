// Counts and bounds by field id, left as they are in the manifest until someone asks: a scan asks for a few columns of
// a few files, and making real maps of everything took five times as long as all else about reading a manifest.
import { malformed, readSize, type Cursor } from '../../market/decode-primitives.ts'

type ValueKind = 'number' | 'bytes'

/** The items as Avro has them: blocks of key and value, ended by an empty one. They were walked once and are sound. */
class ColumnMap<T extends number | Uint8Array> implements ReadonlyMap<number, T> {
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
  readonly kind: ValueKind
  #made: Map<number, T> | undefined

  constructor(bytes: Buffer, start: number, end: number, kind: ValueKind) {
    this.bytes = bytes
    this.start = start
    this.end = end
    this.kind = kind
  }

  get(id: number): T | undefined {
    if (this.#made) return this.#made.get(id)
    const { bytes, kind } = this
    place = this.start
    for (let count = nextNumber(bytes); count !== 0; count = nextNumber(bytes)) {
      if (count < 0) {
        count = -count
        nextNumber(bytes)
      }
      for (; count > 0; count--) {
        const isWanted = nextNumber(bytes) === id
        const value = nextNumber(bytes)
        if (kind === 'number') {
          if (isWanted) return value as T
        } else {
          if (isWanted) return bytes.subarray(place, place + value) as unknown as T
          place += value
        }
      }
    }
    return undefined
  }

  get size(): number {
    return this.#map().size
  }

  has(id: number): boolean {
    return this.#map().has(id)
  }

  keys(): MapIterator<number> {
    return this.#map().keys()
  }

  values(): MapIterator<T> {
    return this.#map().values()
  }

  entries(): MapIterator<[number, T]> {
    return this.#map().entries()
  }

  [Symbol.iterator](): MapIterator<[number, T]> {
    return this.entries()
  }

  forEach(visit: (value: T, id: number, map: ReadonlyMap<number, T>) => void): void {
    this.#map().forEach((value, id) => visit(value, id, this))
  }

  #map(): Map<number, T> {
    if (this.#made) return this.#made
    const map = new Map<number, T>()
    const { bytes, kind } = this
    place = this.start
    for (let count = nextNumber(bytes); count !== 0; count = nextNumber(bytes)) {
      if (count < 0) {
        count = -count
        nextNumber(bytes)
      }
      for (; count > 0; count--) {
        const id = nextNumber(bytes)
        const value = nextNumber(bytes)
        map.set(id, (kind === 'number' ? value : bytes.subarray(place, place + value)) as T)
        if (kind === 'bytes') place += value
      }
    }
    return (this.#made = map)
  }
}

/** Where `nextNumber` reads. */
let place = 0

/** A long of bytes that are known to be sound. */
function nextNumber(bytes: Buffer): number {
  let byte = bytes[place++]
  if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1)
  let value = byte & 0x7f
  for (let unit = 128; byte > 0x7f; unit *= 128) {
    byte = bytes[place++]
    value += (byte & 0x7f) * unit
  }
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2
}

/** Walks over the items and remembers where they are. */
export function readColumnMap<T extends number | Uint8Array>(cursor: Cursor, kind: ValueKind): ReadonlyMap<number, T> {
  const { bytes, at: start } = cursor
  for (let count = readSize(cursor); count !== 0; count = readSize(cursor)) {
    if (count < 0) {
      count = -count
      readSize(cursor)
    }
    // An item takes two bytes at least.
    if (!(2 * count <= cursor.end - cursor.at)) malformed('more items than the file has bytes')
    if (kind === 'number') {
      cursor.at = afterNumbers(bytes, cursor.at, cursor.end, 2 * count)
    } else {
      for (; count > 0; count--) {
        cursor.at = afterNumbers(bytes, cursor.at, cursor.end, 1)
        const length = readSize(cursor)
        if (!(length >= 0 && length <= cursor.end - cursor.at)) malformed('a length beyond the end of the file')
        cursor.at += length
      }
    }
  }
  if (cursor.at > cursor.end) malformed('it is cut off')
  return new ColumnMap<T>(bytes, start, cursor.at, kind)
}

/** Half of the bytes of a manifest are numbers that nobody asks for. */
function afterNumbers(bytes: Buffer, from: number, end: number, count: number): number {
  let at = from
  for (; count > 0; count--) {
    const longest = at + 10
    while (bytes[at] > 0x7f) if (++at === longest) malformed('a number of more than 64 bits')
    at++
  }
  if (at > end) malformed('it is cut off')
  return at
}

/** The items as they were read, to be written again as they are. */
export function encodedItems(map: ReadonlyMap<number, unknown>): Buffer | undefined {
  return map instanceof ColumnMap ? map.bytes.subarray(map.start, map.end) : undefined
}
