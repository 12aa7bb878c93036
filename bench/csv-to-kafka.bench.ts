// CSV files into a real broker: rows a second and processor time a row, and what of it is reading and encoding alone.
import { join } from 'node:path'
import type { ColumnBatch } from '../src/contract/columns.ts'
import type { LoadProgress } from '../src/contract/ingest.ts'
import { openKafkaLog } from '../src/main/log/kafka.ts'
import type { MessageLog } from '../src/main/log/message-log.ts'
import { EMBEDDED_SCHEMA_IDS } from '../src/main/market/avro-schemas.ts'
import { openCsv } from '../src/main/sources/csv/csv-source.ts'
import { ingestHandlers } from '../src/main/sources/handlers.ts'
import { clearBatch, createMessageBatch } from '../src/main/sources/message-batch.ts'
import { createRowEncoder } from '../src/main/sources/to-log/encode-rows.ts'
import { findKafka, startKafka } from '../tests/support/kafka-broker.ts'
import { inTempFolder } from './support/bench-lake.ts'
import { writeCsv } from './support/csv-tape.ts'
import { short } from './support/timing.ts'
import type { Figure } from './figure.ts'

const ROWS = Number(process.env.K2_BENCH_KAFKA_ROWS ?? 1_000_000)
const ROUNDS = 3
const signal = new AbortController().signal

export async function run(): Promise<Figure[]> {
  const { missing } = findKafka()
  if (missing !== undefined) throw new Error(`This benchmark needs a broker: ${missing}`)
  return inTempFolder(async folder => {
    const csv = join(folder, 'trades.csv')
    writeCsv(csv, 'k2 trades', ROWS)
    const encoding = await encodeOnly(csv)
    const nowhere = await load(csv, takesAnything())
    const broker = await startKafka()
    try {
      const log = openKafkaLog({ brokers: [broker.bootstrap] })
      const rounds: Cost[] = []
      for (let round = 0; round < ROUNDS; round++) rounds.push(await load(csv, log))
      const held = (await log.ranges('market.equities.trades.asx')).reduce((sum, range) => sum + range.latest, 0)
      await log.close()
      if (held !== ROWS * ROUNDS) throw new Error(`Of ${ROWS * ROUNDS} rows ${held} are in Kafka.`)
      const middle = rounds.toSorted((a, b) => a.ms - b.ms)[Math.floor(ROUNDS / 2)]
      return [
        {
          name: `CSV of ${ROWS.toLocaleString('en')} trades into Kafka`,
          value: (ROWS / middle.ms) * 1000,
          unit: 'rows/s',
          target: '≥ 60,000',
          detail: `${ROUNDS} rounds, ${rounds.map(({ ms }) => short(ms / 1000)).join(', ')} s; the broker on the same machine`,
        },
        {
          name: 'processor time a row',
          value: micros(middle.processorMs),
          unit: 'µs',
          detail: `of these ${short(micros(encoding))} encoding; ${short(micros(nowhere.processorMs))} with a log that takes anything`,
        },
      ]
    } finally {
      await broker.close()
    }
  })
}

interface Cost {
  ms: number
  processorMs: number
}

const micros = (ms: number) => (ms / ROWS) * 1000

async function costOf(work: () => Promise<void>): Promise<Cost> {
  const [before, started] = [process.cpuUsage(), performance.now()]
  await work()
  const { user, system } = process.cpuUsage(before)
  return { ms: performance.now() - started, processorMs: (user + system) / 1000 }
}

function load(csv: string, log: MessageLog): Promise<Cost> {
  const handlers = ingestHandlers({
    target: () => Promise.reject(new Error('nothing goes to the lake here')),
    log: async () => ({ log, schemaIdOf: (_, table) => EMBEDDED_SCHEMA_IDS[table] }),
    nowMs: () => Date.now(),
  })
  const input = { files: [csv], exchange: 'ASX', format: 'auto', to: 'kafka', again: false } as const
  return costOf(async () => {
    let last: LoadProgress | undefined
    const context = { signal, correlationId: 'bench', door: 'cli' } as const
    for await (const progress of handlers['ingest.load']({ ...input, files: [csv] }, context)) last = progress
    if (last?.state !== 'loaded' || last.rows !== ROWS) throw new Error(JSON.stringify(last))
  })
}

/** Processor milliseconds. */
async function encodeOnly(csv: string): Promise<number> {
  const batches: ColumnBatch[] = []
  const source = await openCsv(csv, { format: 'auto', exchange: 'ASX', loadedAtMicros: Date.now() * 1000 }, signal)
  for await (const { batch } of source.read(signal)) if (batch) batches.push(batch)
  const rows = createMessageBatch()
  const encode = async () => {
    for (const batch of batches) {
      const encoder = createRowEncoder('trades', batch)
      for (let from = 0; from < batch.rowCount; from += 4096) {
        encoder.encode(encoder.topics[0], 1, from, Math.min(from + 4096, batch.rowCount), rows)
        clearBatch(rows)
      }
    }
  }
  await encode()
  return (await costOf(encode)).processorMs
}

function takesAnything(): MessageLog {
  const never = () => Promise.reject(new Error('this log is only written to'))
  return {
    kind: 'kafka',
    topics: async () => [],
    createTopics: async () => {},
    append: async () => {},
    cluster: never,
    ranges: never,
    offsetsAt: never,
    read: () => {
      throw new Error('this log is only written to')
    },
    noteProgress: never,
    close: async () => {},
  }
}
