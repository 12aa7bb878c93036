// The scale beside the candles: round steps around what is shown, so that it moves seldom.

export interface PriceScale {
  min: number
  max: number
  step: number
  /** That a step needs. */
  decimals: number
}

const STEPS = [1, 2, 2.5, 5, 10]

/** At least as far as from `low` to `high`, in steps of which about so many fit. */
export function priceScale(low: number, high: number, steps: number): PriceScale {
  const span = high - low || Math.abs(high) * 0.002 || 1
  const rough = (span * 1.06) / Math.max(2, steps)
  const magnitude = 10 ** Math.floor(Math.log10(rough))
  const step = magnitude * STEPS.find(candidate => magnitude * candidate >= rough * 0.999)!
  const pad = high === low ? span / 2 : span * 0.03
  // Whole numbers of steps, as sums of steps of a tenth are never quite right.
  const from = Math.floor((low - pad) / step)
  const to = Math.ceil((high + pad) / step)
  return { min: from * step, max: to * step, step, decimals: decimalsOf(step) }
}

function decimalsOf(step: number): number {
  let decimals = 0
  while (decimals < 8 && Math.abs(step * 10 ** decimals - Math.round(step * 10 ** decimals)) > 1e-6) decimals++
  return decimals
}

/** 1234567 → "1.23M": what a volume's scale has room for. */
export function shortCount(value: number): string {
  const units = ['', 'k', 'M', 'B', 'T']
  let unit = 0
  let rest = Math.abs(value)
  while (rest >= 999.5 && unit < units.length - 1) {
    rest /= 1000
    unit++
  }
  const digits = rest >= 99.95 || Number.isInteger(rest) ? 0 : rest >= 9.995 ? 1 : 2
  const text = rest.toFixed(digits)
  return (value < 0 ? '−' : '') + (digits > 0 ? text.replace(/\.?0+$/, '') : text) + units[unit]
}
