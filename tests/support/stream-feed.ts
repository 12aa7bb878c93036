// Numbered trades and quotes into a log, among them what a stream has to cope with: messages that cannot be read, repeats,
// and so holes in the sequences. What the tables must say afterwards follows from the numbers alone.
import { encodeInstrument, putQuote, putTrade, type EncodedInstrument } from '../../src/main/market/encode.ts'
import {
  createValueBuffer,
  endValue,
  putByte,
  putBytes,
  reserve,
  type ValueBuffer,
} from '../../src/main/market/value-buffer.ts'
import type { MessageLog, Produced } from '../../src/main/log/message-log.ts'

export const SYMBOLS = 97
/** 2014-03-10T00:00Z, and a message each millisecond from there. */
const START_MICROS = 1_394_409_600_000_000
const REPEATED_AFTER = 40

export interface FeedTopic {
  topic: string
  table: 'trades' | 'quotes'
  /** May become another one between two lots. */
  schemaId: number
  /** Of a later schema that ends in so many optional fields more: empty ones are put behind each record. */
  furtherFields?: number
}

export type Slot = 'row' | 'letter' | 'repeat'

/** `spread` messages make one letter and one repeat. */
export function slotOf(number: number, spread: number): Slot {
  if (number % spread === 7) return 'letter'
  return number % spread === 77 ? 'repeat' : 'row'
}

export const letterText = (number: number): string => `not a row ${number}`

export interface Feed {
  topics: readonly FeedTopic[]
  spread: number
  /** Appends the next messages of each topic; when it resolves they are in the log. */
  produce: (count: number) => Promise<void>
  /** Of each topic: messages up to here were tried. */
  tried: () => number
  /** Numbers [from, to) of a topic whose append failed: in the log or not, nobody knows. */
  doubtful: (topic: string) => readonly [from: number, to: number][]
}

const MOST_AT_ONCE = 5_000

export interface FeedOptions {
  spread?: number
  from?: number
  /** Exchange time of number 0. */
  startMicros?: number
}

export function openFeed(log: MessageLog, topics: readonly FeedTopic[], options: FeedOptions = {}): Feed {
  const { spread = 1_000, from = 0, startMicros = START_MICROS } = options
  const doubtful = new Map<string, [number, number][]>(topics.map(({ topic }) => [topic, []]))
  let next = from

  async function append(own: FeedTopic, first: number, count: number): Promise<void> {
    try {
      await log.append(own.topic, messagesOf(own, { spread, startMicros }, first, count))
    } catch {
      doubtful.get(own.topic)!.push([first, first + count])
    }
  }

  return {
    topics,
    spread,
    tried: () => next,
    doubtful: topic => doubtful.get(topic)!,
    async produce(count) {
      for (const end = next + count; next < end;) {
        const first = next
        const size = Math.min(MOST_AT_ONCE, end - next)
        next += size
        await Promise.all(topics.map(own => append(own, first, size)))
      }
    },
  }
}

function messagesOf(
  own: FeedTopic,
  { spread, startMicros }: Required<Omit<FeedOptions, 'from'>>,
  first: number,
  count: number,
): Produced {
  const out = createValueBuffer()
  const keys: string[] = []
  for (let number = first; number < first + count; number++) {
    const slot = slotOf(number, spread)
    const source = slot === 'repeat' ? number - REPEATED_AFTER : number
    keys.push(symbolOf(source))
    if (slot === 'letter') putLetter(out, number)
    else putNumber(out, own, startMicros, source)
  }
  return { count, keys, values: out.bytes.subarray(0, out.length), ends: out.ends.slice(0, count) }
}

export const symbolOf = (number: number): string => `S${number % SYMBOLS}`

function putLetter(out: ValueBuffer, number: number): void {
  const bytes = Buffer.from(letterText(number))
  reserve(out, bytes.length)
  putBytes(out, bytes)
  endValue(out)
}

const instruments = new Map<string, EncodedInstrument>()

function instrumentOf(topic: string, number: number): EncodedInstrument {
  const exchange = topic.split('.')[3].toUpperCase()
  const name = `${exchange} ${symbolOf(number)}`
  let found = instruments.get(name)
  if (!found) {
    found = encodeInstrument({ symbol: symbolOf(number), exchange, assetClass: 'equities', currency: 'AUD' })
    instruments.set(name, found)
  }
  return found
}

/** Its id and its amount are its number. */
function putNumber(out: ValueBuffer, own: FeedTopic, startMicros: number, number: number): void {
  const { topic, table, schemaId, furtherFields = 0 } = own
  const instrument = instrumentOf(topic, number)
  const micros = startMicros + number * 1000
  const price = 1_000_000_000 + (number % 1000) * 1_000_000
  const amount = BigInt(number) * 100_000_000n
  const common = {
    ids: [number],
    exchangeTimestamps: [micros],
    ingestionTimestamps: [micros],
    sourceSequences: [Math.floor(number / SYMBOLS)],
    vendorData: [null],
  }
  if (table === 'trades') {
    const own = { prices: [price], quantities: [amount], sides: [number % 2], conditions: [null] }
    putTrade(out, schemaId, instrument, { ...common, ...own }, 0)
  } else {
    const prices = { bidPrices: [price], askPrices: [price + 1_000_000] }
    putQuote(out, schemaId, instrument, { ...common, ...prices, bidQuantities: [amount], askQuantities: [1] }, 0)
  }
  reserve(out, furtherFields)
  for (let i = 0; i < furtherFields; i++) putByte(out, 0)
  out.ends[out.count - 1] = out.length
}
