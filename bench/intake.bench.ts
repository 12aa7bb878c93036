// What stands between the log and a flush: messages decoded into all columns of the table, repeats looked for, sequences
// watched. By processor time, as what the clock says is mostly what else runs on the machine.
import avro from 'avsc'
import { trades } from '../src/contract/tables.ts'
import { createIntake } from '../src/main/ingest/take-in.ts'
import { avroSchemas } from '../src/main/market/avro-schemas.ts'
import { createRowCollector } from '../src/main/market/collect-rows.ts'
import { createCursor, pointCursor } from '../src/main/market/decode-primitives.ts'
import { createDedupe } from '../src/main/market/dedupe.ts'
import type { LogBatch } from '../src/main/market/log-batch.ts'
import { logBatch, type SampleRow } from '../tests/support/market-messages.ts'
import type { Figure } from './figure.ts'

const MESSAGES = 1_000_000
const BATCH_MESSAGES = 2000
const PARTITIONS = 16
const SYMBOLS = 512
const FLUSH_ROWS = 100_000
const ROUNDS = 5
const HEADER_BYTES = 5
/** avsc is slow enough to be measured with fewer. */
const PEER_MESSAGES = 200_000

export async function run(): Promise<Figure[]> {
  const batches = sampleBatches()
  const bytes = batches.reduce((sum, batch) => sum + batch.bytes.length, 0)
  const detail = `${(bytes / MESSAGES).toFixed(0)} bytes a message`
  const decoded = leastMicros(MESSAGES, () => decodeAll(batches))
  const plain = leastMicros(MESSAGES, () => takeAll(batches, 0))
  const whole = leastMicros(MESSAGES, () => takeAll(batches, 60))
  const repeats = leastMicros(MESSAGES, () => findRepeats())
  const peer = leastMicros(PEER_MESSAGES, () => decodeWithPeer(batches))
  return [
    { name: 'decoded into 18 columns', value: 1e6 / decoded, unit: '/s of a core', target: '≥ 1,500,000', detail },
    { name: 'decoded, a row', value: decoded, unit: 'µs' },
    { name: 'taken in without a window of repeats, a row', value: plain, unit: 'µs' },
    { name: 'taken in, a row', value: whole, unit: 'µs', target: '≤ 0.9', detail: memoryDetail(batches) },
    { name: 'repeats looked for among 3.2 million, a row', value: repeats, unit: 'µs' },
    {
      name: 'avsc: decoded into objects, a row',
      value: peer,
      unit: 'µs',
      detail: `${(peer / decoded).toFixed(1)} times`,
    },
  ]
}

/** Sequences of each symbol without gaps, its rows all in one partition. */
function sampleBatches(): LogBatch[] {
  let seed = 2026
  const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647
  const sequences = new Map<number, number>()
  return Array.from({ length: MESSAGES / BATCH_MESSAGES }, (_, k) => {
    const partition = k % PARTITIONS
    const rows = Array.from({ length: BATCH_MESSAGES }, (_, i): SampleRow => {
      const n = k * BATCH_MESSAGES + i
      const symbol = Math.floor((SYMBOLS / PARTITIONS) * random() ** 2) * PARTITIONS + partition
      const sequence = (sequences.get(symbol) ?? 1e9) + 1
      sequences.set(symbol, sequence)
      const micros = 1_790_000_000_000_000 + n * 100
      return {
        ...{ symbol: `S${String(symbol).padStart(3, '0')}`, id: 1_000_000_000 + n, micros, sequence },
        ...{ ingestedMicros: micros + 500_000, price: 3_600_000_000 + Math.floor(random() * 1000) * 1_000_000 },
        ...{ quantity: Math.ceil(random() * 5000) * 100_000_000, conditions: random() < 0.02 ? ['XT'] : null },
        ...(random() < 0.1 && { vendorData: { venue: 'CXA', qualifiers: 'XT' } }),
      }
    })
    return logBatch('trades', rows, { partition, offset: Math.floor(k / PARTITIONS) * BATCH_MESSAGES })
  })
}

function decodeAll(batches: readonly LogBatch[]): void {
  const collector = createRowCollector(trades)
  const cursor = createCursor()
  for (const { bytes, count, starts, ends, offsets, timestamps, topic, partition } of batches) {
    pointCursor(cursor, bytes)
    collector.reserve(count)
    const from = collector.rowCount()
    for (let i = 0; i < count; i++) {
      cursor.at = starts[i]
      cursor.end = ends[i]
      collector.read(cursor, offsets[i], timestamps[i])
    }
    collector.place(from, topic, partition)
    if (collector.rowCount() >= FLUSH_ROWS) collector.drain()
  }
}

function takeAll(batches: readonly LogBatch[], dedupeMinutes: number) {
  const intake = createIntake({ table: 'trades', topic: batches[0].topic, dedupeMinutes })
  let rows = 0
  for (const batch of batches) {
    intake.take(batch)
    if (intake.rowCount() < FLUSH_ROWS) continue
    const taken = intake.drain()
    rows += taken.rows.rowCount
    if (taken.gaps.length + taken.duplicates + taken.deadLetters.length > 0) throw new Error('The sample has faults.')
  }
  if (rows !== MESSAGES) throw new Error(`${rows} rows came out.`)
  return intake
}

function memoryDetail(batches: readonly LogBatch[]): string {
  const { messages, bytes } = takeAll(batches, 60).remembered()
  return `${(bytes / messages).toFixed(1)} bytes to remember one`
}

const full = createDedupe({ minutes: 60 })
let print = 1

/** Every partition's window is full: each row that comes lets an old one go. */
function findRepeats(): void {
  const step = 512
  const prints = new Int32Array(2 * step)
  const micros = new Float64Array(step)
  const marks = new Uint8Array(step)
  const fill = full.size() === 0 ? 4 : 1
  for (let n = 0; n < MESSAGES * fill; n += step) {
    for (let i = 0; i < 2 * step; i++) prints[i] = print = Math.imul(print ^ (print >>> 15), 0x2c1b3c6d) + i
    full.markRepeats((n / step) % PARTITIONS, prints, micros, step, marks)
  }
}

function decodeWithPeer(batches: readonly LogBatch[]): void {
  const type = avro.Type.forSchema(avroSchemas.trades as avro.Schema, { wrapUnions: false })
  let left = PEER_MESSAGES
  for (const { bytes, count, starts, ends } of batches) {
    for (let i = 0; i < count; i++) type.fromBuffer(bytes.subarray(starts[i] + HEADER_BYTES, ends[i]))
    if ((left -= count) <= 0) return
  }
}

/** Processor time of one in the best of some rounds; the first one is for the compiler. */
function leastMicros(count: number, round: () => unknown): number {
  let least = Infinity
  for (let k = 0; k <= ROUNDS; k++) {
    const before = process.cpuUsage()
    round()
    const { user, system } = process.cpuUsage(before)
    if (k > 0) least = Math.min(least, (user + system) / count)
  }
  return least
}
