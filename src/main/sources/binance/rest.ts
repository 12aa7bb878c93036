// The exchange's REST: what the pairs are quoted in, and trades that the stream has missed. Nothing depends on it: where
// it cannot be reached, the stream goes on without.
import type { Http, HttpAnswer } from '../../base/http.ts'
import { decimalIn, microsOf, NotUnderstood, wholeIn, type Trade } from './read-event.ts'

export interface Rest {
  /** Quote asset by symbol; what the exchange does not know is not in it. */
  quoteAssets: (symbols: readonly string[], signal: AbortSignal) => Promise<Map<string, string>>
  /** Up to 1,000 trades from this id on, in order. */
  trades: (symbol: string, fromId: number, signal: AbortSignal) => Promise<Trade[]>
}

/** It answered, but not with what was asked for. */
export class RestRefusal extends Error {
  readonly status: number
  /** Before that it will refuse again. */
  readonly waitMs: number

  constructor({ status, headers, text }: HttpAnswer) {
    super(`the exchange answered ${status}${/"msg":"([^"]{1,200})"/.exec(text)?.[1].replace(/^/, ': ') ?? ''}`)
    this.status = status
    this.waitMs = Number(headers['retry-after'] ?? 0) * 1000
  }
}

export const TRADES_A_PAGE = 1000
const SYMBOLS_AT_ONCE = 100

/** By the stream's address; a server of one's own answers both at one. */
export function restBaseOf(stream: string): string {
  const url = new URL(stream)
  const { hostname } = url
  if (hostname === 'data-stream.binance.vision') return 'https://data-api.binance.vision'
  const known = /^stream\.(binance\.(?:com|us))$/.exec(hostname)
  if (known) return `https://api.${known[1]}`
  if (/^(stream\.)?testnet\.binance\.vision$/.test(hostname)) return 'https://testnet.binance.vision'
  return `${url.protocol === 'wss:' ? 'https:' : 'http:'}//${url.host}`
}

export function createRest(base: string, http: Http): Rest {
  async function get(path: string, query: Record<string, string>, signal: AbortSignal): Promise<unknown> {
    const url = `${base}${path}?${new URLSearchParams(query).toString()}`
    const answer = await http.send({ method: 'GET', url, signal })
    if (answer.status !== 200) throw new RestRefusal(answer)
    return JSON.parse(answer.text)
  }

  async function assetsOf(symbols: readonly string[], signal: AbortSignal): Promise<[string, string][]> {
    const info = await get('/api/v3/exchangeInfo', { symbols: JSON.stringify(symbols) }, signal).catch(
      (error: unknown) => {
        // One that is unknown makes it refuse all.
        if (error instanceof RestRefusal && error.status === 400) return undefined
        throw error
      },
    )
    if (info !== undefined) return pairsOf(info)
    if (symbols.length === 1) return []
    const half = symbols.length >> 1
    return [...(await assetsOf(symbols.slice(0, half), signal)), ...(await assetsOf(symbols.slice(half), signal))]
  }

  return {
    async quoteAssets(symbols, signal) {
      const found: [string, string][] = []
      for (let at = 0; at < symbols.length; at += SYMBOLS_AT_ONCE)
        found.push(...(await assetsOf(symbols.slice(at, at + SYMBOLS_AT_ONCE), signal)))
      return new Map(found)
    },
    async trades(symbol, fromId, signal) {
      const query = { symbol, fromId: String(fromId), limit: String(TRADES_A_PAGE) }
      const rows = await get('/api/v3/historicalTrades', query, signal)
      if (!Array.isArray(rows)) throw new NotUnderstood('bad_value', 'the answer is no list')
      return rows.map(row => tradeOf(symbol, row as Record<string, unknown>)).sort((a, b) => a.id - b.id)
    },
  }
}

function tradeOf(symbol: string, row: Record<string, unknown>): Trade {
  return {
    kind: 'trade',
    symbol,
    id: wholeIn(row, 'id'),
    micros: microsOf(wholeIn(row, 'time')),
    price: decimalIn(row, 'price'),
    quantity: decimalIn(row, 'qty'),
    isBuyerMaker: row.isBuyerMaker === true,
  }
}

function pairsOf(info: unknown): [string, string][] {
  const { symbols } = info as { symbols?: unknown }
  if (!Array.isArray(symbols)) return []
  return symbols.flatMap((row: unknown) => {
    const { symbol, quoteAsset } = row as { symbol?: unknown; quoteAsset?: unknown }
    return typeof symbol === 'string' && typeof quoteAsset === 'string' ? [[symbol, quoteAsset]] : []
  })
}
