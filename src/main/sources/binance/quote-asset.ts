// What a pair is quoted in: BTCUSDT in USDT, by the longest ending that is an asset others are quoted in.

/** Of Binance's markets; an ending may be part of a longer one, as USD is of FDUSD. */
const QUOTE_ASSETS = (
  'USDT FDUSD USDC TUSD BUSD USDP USDS USD1 USD PAX UST DAI EURI EUR GBP AUD BIDR IDRT BVND VAI NGN RUB TRY UAH BRL ZAR ' +
  'PLN RON ARS MXN COP CZK JPY BKRW IDR AEUR XUSD BFUSD BTC ETH BNB XRP TRX DOGE DOT SOL'
).split(' ')

const LONGEST = Math.max(...QUOTE_ASSETS.map(({ length }) => length))
const known = new Set(QUOTE_ASSETS)

/** Nothing for a symbol with no such ending. `told` is what the exchange itself says, where it could be asked. */
export function quoteAssetOf(symbol: string, told?: ReadonlyMap<string, string>): string | undefined {
  const asset = told?.get(symbol)
  if (asset !== undefined) return asset
  for (let size = Math.min(LONGEST, symbol.length - 1); size > 0; size--) {
    const ending = symbol.slice(symbol.length - size)
    if (known.has(ending)) return ending
  }
  return undefined
}
