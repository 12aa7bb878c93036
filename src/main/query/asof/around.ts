// Sums over the trades around each trade: two edges that only move forward.
import { addExact, type Exact } from '../bars/exact.ts'

export interface Around {
  counts: Int32Array
  volumes: Exact[]
  notionals: Exact[]
}

export interface AroundTrades {
  times: Float64Array
  price: (row: number) => Exact
  quantity: (row: number) => Exact
}

/** For rows `from` up to `to` of the trades; both ends of the window are included. */
export function sumAround(
  { times, price, quantity }: AroundTrades,
  [from, to]: readonly [number, number],
  [beforeMicros, afterMicros]: readonly [number, number],
): Around {
  const counts = new Int32Array(to - from)
  const volumes: Exact[] = []
  const notionals: Exact[] = []
  let first = 0
  let end = 0
  let volume: Exact = 0
  let notional: Exact = 0
  const move = (row: number, sign: 1 | -1) => {
    volume = addExact(volume, signed(quantity(row), sign))
    notional = addExact(notional, signed(productOf(price(row), quantity(row)), sign))
  }
  for (let row = from; row < to; row++) {
    while (end < times.length && times[end] <= times[row] + afterMicros) move(end++, 1)
    while (times[first] < times[row] - beforeMicros) move(first++, -1)
    counts[row - from] = end - first
    volumes.push(volume)
    notionals.push(notional)
  }
  return { counts, volumes, notionals }
}

function signed(value: Exact, sign: 1 | -1): Exact {
  return sign === 1 ? value : -value
}

function productOf(a: Exact, b: Exact): Exact {
  if (typeof a === 'number' && typeof b === 'number') {
    const product = a * b
    if (Number.isSafeInteger(product)) return product
  }
  return BigInt(a) * BigInt(b)
}
