// The tail and the log below it: how fast messages come in, what they take, how fast an instrument's last minutes come out.
import { TAIL_TABLES, type TailTable } from '../src/contract/tables.ts'
import { createEmbeddedLog } from '../src/main/log/embedded.ts'
import type { Produced } from '../src/main/log/message-log.ts'
import type { LogBatch } from '../src/main/market/log-batch.ts'
import { createCursor, pointCursor } from '../src/main/market/decode-primitives.ts'
import { createWireDecoder } from '../src/main/market/decode-wire.ts'
import { createTail, type Tail } from '../src/main/tail/tail.ts'
import { logBatch, type SampleRow } from '../tests/support/market-messages.ts'
import type { Figure } from './figure.ts'

const MESSAGES = 300_000
const BATCH_MESSAGES = 1000
const PARTITIONS = 30
const SYMBOLS = 500
/** The messages lie in the last four of the tail's five minutes. */
const SPAN_MICROS = 240e6
const ROUNDS = 7
const PASSES = 8
const FULL_MEGABYTES = 48
/** What arrives in five seconds. */
const LACKED = 25_000

export async function run(): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const dataType of ['trades', 'quotes'] as const) {
    const batches = sampleBatches(dataType)
    figures.push(await measureLog(dataType, batches))
    const decoding = measureDecoding(dataType, batches)
    figures.push(decoding, ...measureAppending(dataType, batches, 1e6 / decoding.value))
    const tail = filledTail(dataType, batches)
    figures.push(...measureAnswers(dataType, tail), ...measureRowsFrom(dataType, tail))
    figures.push(await measureFollowing(dataType, tail))
    tail.close()
  }
  return figures
}

/** Symbol k is the more frequent the smaller k is: the busiest has one in twenty of all messages. */
function sampleBatches(dataType: TailTable): LogBatch[] {
  const firstMicros = Date.now() * 1000 - SPAN_MICROS
  let seed = 2026
  const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647
  const rowAt = (i: number): SampleRow => ({
    symbol: symbolName(Math.floor(SYMBOLS * random() ** 2)),
    id: 10_000_000 + i,
    micros: firstMicros + Math.floor((i * SPAN_MICROS) / MESSAGES),
    sequence: 100_000 + i,
    price: 3_600_000_000 + Math.floor(random() * 1000) * 1_000_000,
    quantity: Math.ceil(random() * 5000) * 100_000_000,
    conditions: random() < 0.02 ? ['XT'] : null,
  })
  return Array.from({ length: MESSAGES / BATCH_MESSAGES }, (_, k) => {
    const rows = Array.from({ length: BATCH_MESSAGES }, (_, i) => rowAt(k * BATCH_MESSAGES + i))
    return logBatch(dataType, rows, { offset: k * BATCH_MESSAGES })
  })
}

const symbolName = (k: number) => `S${String(k).padStart(3, '0')}`

async function measureLog(dataType: TailTable, batches: LogBatch[]): Promise<Figure> {
  const keys = Array.from({ length: BATCH_MESSAGES }, (_, i) => symbolName(Math.floor((i * SYMBOLS) / BATCH_MESSAGES)))
  const perSecond = await fastest(async () => {
    const log = createEmbeddedLog({ maxBytes: 128e6 })
    await log.createTopics([{ name: dataType, partitions: PARTITIONS }])
    const abort = new AbortController()
    let left = MESSAGES
    const reading = (async () => {
      for await (const { count } of log.read({ topics: [dataType], from: () => 'earliest', signal: abort.signal }))
        if ((left -= count) === 0) break
    })()
    for (const { count, bytes, ends } of batches) {
      const messages: Produced = { count, keys, values: bytes, ends: Uint32Array.from(ends) }
      await log.append(dataType, messages)
    }
    await reading
    await log.close()
  })
  return { name: `log: ${dataType} appended and read`, value: perSecond, unit: '/s', target: '≥ 1,500,000' }
}

function measureDecoding(dataType: TailTable, batches: LogBatch[]): Figure {
  const decode = createWireDecoder(TAIL_TABLES[dataType], {}, 'check')
  const cursor = createCursor()
  const microseconds = leastCpu(() => {
    for (const { count, bytes, starts, ends } of batches) {
      pointCursor(cursor, bytes)
      for (let i = 0; i < count; i++) {
        cursor.at = starts[i]
        cursor.end = ends[i]
        decode(cursor, 0)
      }
    }
  })
  return {
    name: `${dataType} decoded and checked`,
    value: 1e6 / microseconds,
    unit: '/s of CPU',
    target: '≥ 1,500,000',
  }
}

/**
 * Into a tail that is full, as one is after its first minutes: each row that comes lets an old one go. With the window of
 * repeats into an empty one, as all would be repeats in the other.
 */
function measureAppending(dataType: TailTable, batches: LogBatch[], decoding: number): Figure[] {
  const tail = filledTail(dataType, batches, FULL_MEGABYTES)
  const { bytes, held } = tail.counts()
  const full = leastCpu(() => {
    for (const batch of batches) tail.append(batch)
  })
  tail.close()
  const once = leastCpu(() => filledTail(dataType, batches, FULL_MEGABYTES, 60).close())
  const valueBytes = batches.reduce((sum, { bytes }) => sum + bytes.length, 0) / MESSAGES
  return [
    { name: `${dataType} decoded and taken in`, value: 1e6 / full, unit: '/s of CPU', target: '≥ 1,500,000' },
    {
      name: `${dataType} taken in, once decoded`,
      value: 1e6 / (full - decoding),
      unit: '/s of CPU',
      target: '≥ 2,000,000',
      detail: 'what the figure before takes more than decoding alone',
    },
    { name: `${dataType} decoded, told from repeats and taken in`, value: once, unit: 'µs of CPU a row' },
    {
      name: `memory of one of the ${dataType}`,
      value: bytes / held,
      unit: 'bytes',
      target: '≤ 200',
      detail: `of which ${valueBytes.toFixed(0)} are the message; ${held} held in ${FULL_MEGABYTES} MB`,
    },
  ]
}

function filledTail(dataType: TailTable, batches: LogBatch[], maxMegabytes = 128, dedupeMinutes = 0): Tail {
  const tail = createTail({ dataType, minutes: 5, maxPerSymbol: 10_000, maxMegabytes, dedupeMinutes })
  for (const batch of batches) tail.append(batch)
  return tail
}

/**
 * Each symbol is asked for once a pass, so that its rows are not still in the cache. The figure is over symbols, each at
 * its best: a pass is often interrupted by what else runs on the machine. The p99 of all questions stands beside it.
 */
function measureAnswers(dataType: TailTable, tail: Tail): Figure[] {
  const ask = (width: 'hot' | 'all', limit: number, symbols: number) => {
    const all: number[] = []
    const best = new Float64Array(symbols).fill(Infinity)
    let rows = 0
    for (let pass = 0; pass < PASSES; pass++)
      for (let k = 0; k < SYMBOLS; k++) {
        const symbol = k % symbols
        const query = { symbol: symbolName(symbol), exchange: 'ASX', windowMinutes: 5, limit }
        const startedMs = performance.now()
        rows += tail.recent(query, width).rowCount
        const elapsedMs = performance.now() - startedMs
        all.push(elapsedMs)
        best[symbol] = Math.min(best[symbol], elapsedMs)
      }
    const [p50, p99] = [quantile([...best], 0.5), quantile([...best], 0.99)]
    const mean = Math.round(rows / all.length).toLocaleString('en')
    return { p99, detail: `p50 ${p50.toFixed(3)} ms, ${mean} rows; p99 of all ${quantile(all, 0.99).toFixed(2)} ms` }
  }
  const name = `last 5 min of ${MESSAGES.toLocaleString('en')} ${dataType}`
  const any = ask('hot', 10_000, SYMBOLS)
  const busiest = ask('hot', 10_000, 1)
  const whole = ask('all', 1000, 10)
  return [
    { name: `${name}, any symbol as columns, p99`, value: any.p99, unit: 'ms', target: '≤ 0.5', detail: any.detail },
    { name: `${name}, the busiest symbol as columns`, value: busiest.p99, unit: 'ms', detail: busiest.detail },
    { name: `${name}, 1,000 whole rows, p99`, value: whole.p99, unit: 'ms', target: '≤ 1', detail: whole.detail },
  ]
}

/** What a snapshot of some seconds ago lacks: of one symbol, and of all. */
function measureRowsFrom(dataType: TailTable, tail: Tail): Figure[] {
  const topic = `market.equities.${dataType}.asx`
  const boundary = [{ cluster: '', epoch: '', topic, next: { 0: MESSAGES - LACKED } }]
  const pin = tail.pin()
  const all: number[] = []
  for (let pass = 0; pass < PASSES; pass++)
    for (let k = 0; k < SYMBOLS; k++) {
      const startedMs = performance.now()
      tail.rowsFrom(boundary, pin, { symbols: [symbolName(k)], exchange: 'ASX' }, 10_000)
      all.push(performance.now() - startedMs)
    }
  const cpu = leastCpu(() => void tail.rowsFrom(boundary, pin, {}, LACKED, 'hot'), LACKED)
  const name = `${LACKED.toLocaleString('en')} ${dataType} that a snapshot lacks`
  return [
    { name: `${name}, one symbol's, p50`, value: quantile(all, 0.5), unit: 'ms' },
    { name: `${name}, all as columns`, value: cpu, unit: 'µs of CPU a row' },
  ]
}

/** Microseconds a message in the best of some rounds: what the code takes, however many others run. */
function leastCpu(round: () => void, messages = MESSAGES): number {
  let least = Infinity
  for (let k = 0; k < ROUNDS; k++) {
    const before = process.cpuUsage()
    round()
    const { user, system } = process.cpuUsage(before)
    least = Math.min(least, (user + system) / messages)
  }
  return least
}

function quantile(values: number[], share: number): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length * share)]
}

/** What a follower costs for each whole row, in batches as they come at 10,000 rows a second. */
async function measureFollowing(dataType: TailTable, tail: Tail): Promise<Figure> {
  const abort = new AbortController()
  const backlog = 10_000
  const times: number[] = []
  for (let k = 0; k < 20; k++) {
    const startedMs = performance.now()
    let rows = 0
    for await (const batch of tail.follow({ backlog }, abort.signal))
      if ((rows += batch.rows.rowCount) >= backlog) break
    times.push(performance.now() - startedMs)
  }
  const microsPerRow = (Math.min(...times) * 1000) / backlog
  const detail = `${microsPerRow.toFixed(1)} % of a core gives 10,000 rows a second`
  return { name: `${dataType} followed, whole rows`, value: microsPerRow, unit: 'µs a row', detail }
}

/** Messages a second in the best of some rounds: what the code takes, not what its neighbours on the machine do. */
async function fastest(round: () => Promise<void>): Promise<number> {
  let best = 0
  for (let k = 0; k < ROUNDS; k++) {
    const startedMs = performance.now()
    await round()
    best = Math.max(best, (MESSAGES / (performance.now() - startedMs)) * 1000)
  }
  return best
}
