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
  /**
   * Where its rows are: the low 32 bits of the position of row k, counted from the first that ever came, at
   * k % positions.length, which is a power of two. See `positionOf`.
   */
  positions: Uint32Array
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
const NO_POSITIONS = new Uint32Array(0)

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
    positions: NO_POSITIONS,
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
