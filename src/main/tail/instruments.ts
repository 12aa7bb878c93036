// Every instrument seen: one symbol at one exchange, in the order they came.
import { ASSET_CLASSES, type AssetClass } from '../../contract/tables.ts'
import { createDictionary, textOf } from '../market/decode-dictionary.ts'
import { malformed } from '../market/decode-primitives.ts'

export interface Instrument {
  /** Its place in `all`; what rows carry. */
  code: number
  symbol: string
  /** Upper case. */
  exchange: string
  assetClass: AssetClass
  /** Positions of its newest rows: of row k, counted from the first that ever came, at k % CHAINS. */
  newest: number[]
  /**
   * Position of its last row that came out of order, -1 when none did. Every row after that one stands in the product's
   * total order behind everything before it: who reads backwards may stop there.
   */
  straggler: number
  /** Exchange times, microseconds since 1970. */
  firstTime: number
  lastTime: number
  appended: number
  /** Of those, how many have left the tail again. */
  evicted: number
}

/**
 * An instrument's rows are linked backwards in so many chains, row k to row k - CHAINS. Walking one chain waits for memory
 * at every row; walking several in turn waits for them together: measured, half the time.
 */
export const CHAINS = 8

/** Where a message has its names. */
export interface NameRange {
  from: number
  to: number
}

export interface Instruments {
  all: Instrument[]
  /** `assetClass` is looked at for a new instrument only. */
  of(bytes: Buffer, symbol: NameRange, exchange: NameRange, assetClass: number): Instrument
  /** The exchange in any case. */
  find(symbol: string, exchange: string): Instrument | undefined
}

/** Names are kept for good, so a producer of nonsense must not be able to fill the memory with them. */
const MAX_INSTRUMENTS = 200_000
const MAX_EXCHANGES = 4096

export function createInstruments(): Instruments {
  const symbols = createDictionary(textOf, MAX_INSTRUMENTS)
  const exchanges = createDictionary(textOf, MAX_EXCHANGES)
  const all: Instrument[] = []
  const byName = new Map<string, Instrument>()
  /** By exchange code, then symbol code; `asx` and `ASX` are two codes for one exchange. */
  const byCode: (Instrument | undefined)[][] = []

  function add(symbolCode: number, exchangeCode: number, assetClass: number): Instrument {
    const symbol = symbols.words[symbolCode]
    const exchange = exchanges.words[exchangeCode].toUpperCase()
    let instrument = byName.get(nameOf(symbol, exchange))
    if (!instrument) {
      if (all.length >= MAX_INSTRUMENTS) malformed(`more than ${MAX_INSTRUMENTS} instruments`)
      instrument = createInstrument(all.length, symbol, exchange, ASSET_CLASSES[assetClass])
      all.push(instrument)
      byName.set(nameOf(symbol, exchange), instrument)
    }
    byCode[exchangeCode] ??= []
    byCode[exchangeCode][symbolCode] = instrument
    return instrument
  }

  return {
    all,
    of(bytes, symbol, exchange, assetClass) {
      const exchangeCode = exchanges.codeOf(bytes, exchange.from, exchange.to)
      const symbolCode = symbols.codeOf(bytes, symbol.from, symbol.to)
      return byCode[exchangeCode]?.[symbolCode] ?? add(symbolCode, exchangeCode, assetClass)
    },
    find: (symbol, exchange) => byName.get(nameOf(symbol, exchange.toUpperCase())),
  }
}

function createInstrument(code: number, symbol: string, exchange: string, assetClass: AssetClass): Instrument {
  const times = { firstTime: Infinity, lastTime: -Infinity }
  return {
    code,
    symbol,
    exchange,
    assetClass,
    newest: new Array<number>(CHAINS).fill(-1),
    straggler: -1,
    ...times,
    appended: 0,
    evicted: 0,
  }
}

/** A line break is in no symbol that a caller may ask for. */
function nameOf(symbol: string, exchange: string): string {
  return `${symbol}\n${exchange}`
}
