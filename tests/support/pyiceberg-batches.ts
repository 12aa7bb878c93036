// Rows of any of our tables that are hard to get right: nulls in every column that may have them, the largest and smallest
// numbers, texts beyond ASCII and beyond the length of a bound, repeated rows. The same in every run.
import type { Column, ColumnBatch, Word } from '../../src/contract/columns.ts'
import type { ColumnSpec, TableSpec } from '../../src/contract/tables.ts'

const SYMBOLS = ['BHP', 'RIO', 'BTCUSDT', 'Zürich AG', '株式会社', 'O\'Neil "x"\\']
const TEXTS = [
  ...['', ' ', 'plain', "it's", 'back\\slash', 'tab\tnew\nline', 'Zürich', '株式会社', '😀 smile', 'null', '%20/../x'],
  ...[
    'a text that is much longer than any bound',
    '\u{10ffff}'.repeat(17),
    'é'.repeat(40),
    'z'.repeat(16) + '\u{10ffff}',
  ],
]
const DAY = 86_400_000_000
/** 2014-03-10T23:00Z, when Sydney's 11 March opens. */
const OPENING = 1_394_492_400_000_000
const MOMENTS = [-1, 0, -DAY, 2 ** 53 - 1, OPENING - 23 * 3_600_000_000 - 1]
const LONGS = [2n ** 63n - 1n, -(2n ** 63n), 0n, -1n, 2n ** 53n + 1n]
const DECIMALS = [10n ** 18n - 1n, 1n - 10n ** 18n, 1n, 0n, 3_667_000_000n, 12_345n]
const INTS = [2 ** 31 - 1, -(2 ** 31), 0, -1, 7]

/** Rows `start` … of an endless table. */
export function oddBatch(spec: TableSpec, start: number, rowCount: number): ColumnBatch {
  const columns = spec.columns.map(column => [column.name, oddColumn(column, start, rowCount)] as const)
  return { rowCount, columns: Object.fromEntries(columns) }
}

function oddColumn({ name, type, required, values }: ColumnSpec, start: number, rowCount: number): Column {
  const seed = [...name].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7)
  /** A number that only row, column and `salt` decide. */
  const draw = (i: number, salt = 0) => hash(seed + salt * 7919, start + i)
  const isNull = Uint8Array.from({ length: rowCount }, (_, i) => (!required && draw(i, 1) % 9 === 0 ? 1 : 0))
  const nulls = isNull.includes(1) ? { nulls: isNull } : {}
  const pick = <T>(from: readonly T[], i: number) => from[draw(i) % from.length]
  const coded = (wordOf: (i: number) => Word): Column => {
    const codes = new Map<string, number>()
    const words: Word[] = []
    const column = Uint32Array.from({ length: rowCount }, (_, i) => {
      if (isNull[i]) return 0
      const word = wordOf(i)
      const key = JSON.stringify(word)
      const code = codes.get(key) ?? words.push(word) - 1
      codes.set(key, code)
      return code
    })
    return { type, values: column, words, ...nulls }
  }
  const big = (from: readonly bigint[], common: (i: number) => bigint) =>
    BigInt64Array.from({ length: rowCount }, (_, i) => {
      if (isNull[i]) return 0n
      return draw(i, 2) % 20 === 0 ? pick(from, i) : common(i)
    })
  switch (type) {
    case 'string':
      return coded(i => {
        if (name === 'symbol') return SYMBOLS[draw(Math.floor(i / 3)) % SYMBOLS.length]
        if (name.endsWith('_id')) return `${name}-${start + i}`
        return name === 'exchange' ? ['ASX', 'BINANCE'][draw(i) % 2] : pick(TEXTS, i)
      })
    case 'enum':
      return coded(i => pick(values!, i))
    case 'list':
      return coded(i => Array.from({ length: draw(i) % 4 }, (_, at) => TEXTS[draw(i, at + 3) % TEXTS.length]))
    case 'map':
      return coded(i =>
        Object.fromEntries(
          Array.from({ length: draw(i) % 3 }, (_, at) => [
            `${at}${TEXTS[draw(i, at + 3) % 9]}`,
            TEXTS[draw(i, at + 6) % TEXTS.length],
          ]),
        ),
      )
    case 'bytes':
      return coded(i =>
        Buffer.from(Array.from({ length: draw(i) % 40 }, (_, at) => draw(i, at) % 256)).toString('base64'),
      )
    case 'timestamp':
      return { type, values: Float64Array.from({ length: rowCount }, (_, i) => momentOf(i)), ...nulls }
    case 'decimal':
      return { type, values: big(DECIMALS, i => BigInt(draw(i)) * 1_000_003n), scale: 8, ...nulls }
    case 'long':
      return { type, values: big(LONGS, i => BigInt(start + i)), ...nulls }
    case 'int':
      return {
        type,
        values: Int32Array.from({ length: rowCount }, (_, i) => (isNull[i] ? 0 : pick(INTS, i))),
        ...nulls,
      }
    case 'date':
      return { type, values: Int32Array.from({ length: rowCount }, (_, i) => (draw(i) % 40_000) - 9000), ...nulls }
    case 'boolean':
      return { type, values: Uint8Array.from({ length: rowCount }, (_, i) => draw(i) % 2), ...nulls }
  }

  /** Three days, now and then another century; several rows share a microsecond. */
  function momentOf(i: number): number {
    if (draw(i, 2) % 200 === 0) return pick(MOMENTS, i)
    const share = Math.floor((start + i) / 2)
    return OPENING + (hash(seed, share) % 3) * DAY + (hash(seed + 1, share) % 25_000) * 1_000_000 + (share % 1000)
  }
}

/** Uniform in 0 … 2^31 - 1. */
function hash(seed: number, i: number): number {
  let bits = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(i + 1, 0xc2b2ae35)
  bits = Math.imul(bits ^ (bits >>> 15), 0x2c1b3c6d)
  bits = Math.imul(bits ^ (bits >>> 12), 0x297a2d39)
  return (bits ^ (bits >>> 15)) >>> 1
}
