// What stands between the log and a flush: messages decoded into all columns of the table, repeats looked for, sequences
// watched. By processor time, as what the clock says is mostly what else runs on the machine.
import avro from 'avsc'
import { trades } from '../src/contract/tables.ts'
import type { Intake } from '../src/main/ingest/intake.ts'
import { createIntake } from '../src/main/ingest/take-in.ts'
import { avroSchemas } from '../src/main/market/avro-schemas.ts'
import { createRowCollector, type RowCollector } from '../src/main/market/collect-rows.ts'
import { createCursor, pointCursor } from '../src/main/market/decode-primitives.ts'
import { createDedupe } from '../src/main/market/dedupe.ts'
import type { LogBatch } from '../src/main/market/log-batch.ts'
import { logBatch, type SampleRow } from '../tests/support/market-messages.ts'
import type { Figure } from './figure.ts'

/** A round takes its own share of them, into the one intake that a writer has for a topic. */
const MESSAGES = 1_200_000
const ROUNDS = 6
const ROUND_MESSAGES = MESSAGES / ROUNDS
const BATCH_MESSAGES = 2000
const PARTITIONS = 16
const SYMBOLS = 512
const FLUSH_ROWS = 50_000
const HEADER_BYTES = 5

export async function run(): Promise<Figure[]> {
  const batches = sampleBatches()
  const bytes = batches.reduce((sum, batch) => sum + batch.bytes.length, 0)
  const detail = `${(bytes / MESSAGES).toFixed(0)} bytes a message`
  const collector = createRowCollector(trades)
  const decoded = leastMicros(batches, part => decodeAll(collector, part))
  const intakeOf = (dedupeMinutes: number) => createIntake({ table: 'trades', topic: batches[0].topic, dedupeMinutes })
  const [bare, whole] = [intakeOf(0), intakeOf(60)]
  const plain = leastMicros(batches, part => takeAll(bare, part))
  const taken = leastMicros(batches, part => takeAll(whole, part))
  const memory = whole.remembered()
  const repeats = leastMicros(batches, findRepeats)
  const type = avro.Type.forSchema(avroSchemas.trades as avro.Schema, { wrapUnions: false })
  const peer = leastMicros(batches, part => decodeWithPeer(type, part))
  return [
    { name: 'decoded into 18 columns', value: 1e6 / decoded, unit: '/s of a core', target: '≥ 1,500,000', detail },
    { name: 'decoded, a row', value: decoded, unit: 'µs' },
    { name: 'taken in without a window of repeats, a row', value: plain, unit: 'µs' },
    {
      name: 'taken in, a row',
      value: taken,
      unit: 'µs',
      target: '≤ 0.9',
      detail: `${(memory.bytes / memory.messages).toFixed(1)} bytes to remember one`,
    },
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

function decodeAll(collector: RowCollector, batches: readonly LogBatch[]): void {
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

function takeAll(intake: Intake, batches: readonly LogBatch[]): void {
  let rows = 0
  for (const batch of batches) {
    intake.take(batch)
    if (intake.rowCount() < FLUSH_ROWS) continue
    const taken = intake.drain()
    rows += taken.rows.rowCount
    if (taken.gaps.length + taken.duplicates + taken.deadLetters.length > 0) throw new Error('The sample has faults.')
  }
  if (rows !== ROUND_MESSAGES) throw new Error(`${rows} rows came out.`)
}

const full = createDedupe({ minutes: 60 })
let print = 1

/** Every partition's window is full: each row that comes lets an old one go. */
function findRepeats(): void {
  const step = 512
  const prints = new Int32Array(2 * step)
  const micros = new Float64Array(step)
  const marks = new Uint8Array(step)
  const count = full.size() === 0 ? PARTITIONS * 200_000 : ROUND_MESSAGES
  for (let n = 0; n < count; n += step) {
    for (let i = 0; i < 2 * step; i++) prints[i] = print = Math.imul(print ^ (print >>> 15), 0x2c1b3c6d) + i
    full.markRepeats((n / step) % PARTITIONS, prints, micros, step, marks)
  }
}

function decodeWithPeer(type: avro.Type, batches: readonly LogBatch[]): void {
  for (const { bytes, count, starts, ends } of batches)
    for (let i = 0; i < count; i++) type.fromBuffer(bytes.subarray(starts[i] + HEADER_BYTES, ends[i]))
}

/** Processor time of one in the best of the rounds; the first one is for the compiler. */
function leastMicros(batches: readonly LogBatch[], round: (part: readonly LogBatch[]) => void): number {
  const size = ROUND_MESSAGES / BATCH_MESSAGES
  let least = Infinity
  for (let k = 0; k < ROUNDS; k++) {
    const part = batches.slice(k * size, (k + 1) * size)
    const before = process.cpuUsage()
    round(part)
    const { user, system } = process.cpuUsage(before)
    if (k > 0) least = Math.min(least, (user + system) / ROUND_MESSAGES)
  }
  return least
}
