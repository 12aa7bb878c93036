// Kafka to committed Iceberg as the product does it, on a real broker and a real Schema Registry beside it on the same
// machine: the writer's process from nothing until five million trades are in the table, then judged. A loop in Python over
// part of the same topic for comparison, and the way of a single message into the tail.
import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { lakeOptions } from '../src/main/processes/lake-options.ts'
import { openLake } from '../src/main/lake/lake.ts'
import { verifyTable } from '../src/main/lake/verify/verify-table.ts'
import { openKafkaLog } from '../src/main/log/kafka.ts'
import { openRegistry } from '../src/main/log/registry.ts'
import { createSchemaIds } from '../src/main/log/schema-ids.ts'
import type { WriterEngineOptions } from '../src/main/processes/writer.ts'
import { findKafka, startKafka } from '../tests/support/kafka-broker.ts'
import { findRegistry, startRegistry } from '../tests/support/registry-server.ts'
import type { Figure } from './figure.ts'
import { runPythonLoop } from './support/python-stream.ts'
import { BUILT, runWriter, type WriterRun } from './support/run-writer.ts'
import { fillTopic } from './support/stream-trades.ts'
import { measureTailDelay } from './support/tail-delay.ts'
import { short, spread, timesOf } from './support/timing.ts'

const TOPIC = 'market.equities.trades.asx'
const PROBES = 'market.equities.trades.probes'
const PARTITIONS = 16
const TRADES = 5_000_000
const ROUNDS = 3
const PEER_TRADES = 500_000

const launcher = resolve(import.meta.dirname, '../src/main/launch.cjs')

export async function run(): Promise<Figure[]> {
  const missing = findKafka().missing ?? findRegistry().missing
  if (missing !== undefined) return [{ name: `not measured: ${missing}`, value: 0, unit: '' }]
  spawnSync(process.execPath, [launcher, '--build'], { stdio: 'inherit' })
  const broker = await startKafka()
  const servers = await startRegistry()
  const registry = openRegistry({ urls: [servers.url] })
  const log = openKafkaLog({ brokers: [broker.bootstrap] })
  const environment = { K2_KAFKA_BROKERS: broker.bootstrap, K2_SCHEMA_REGISTRY_URL: servers.url }
  try {
    await log.createTopics([TOPIC, PROBES].map(name => ({ name, partitions: PARTITIONS })))
    const schemaIdOf = createSchemaIds(registry)
    const bytes = await fillTopic(log, TOPIC, TRADES, await schemaIdOf(TOPIC))
    const runs: WriterRun[] = []
    for (let round = 0; round < ROUNDS; round++)
      runs.push(await runWriter({ environment: { ...environment, K2_TOPICS: TOPIC }, messages: TRADES }, judge))
    return [
      ...figuresOf(runs, bytes),
      ...measurePeer(broker.bootstrap, servers.url, runs),
      ...(await measureDelays({ ...environment, K2_TOPICS: PROBES }, log, await schemaIdOf(PROBES))),
    ]
  } finally {
    await log.close()
    registry.close()
    await servers.stop()
    await broker.close()
  }
}

/** As many rows as messages, and as many places in the log as rows; every file and manifest holds what is said of it. */
async function judge({ config }: WriterEngineOptions): Promise<void> {
  const lake = await openLake(lakeOptions(config))
  try {
    const { problems } = await verifyTable(lake, lake.table('trades'), { quick: false })
    if (problems.length > 0) throw new Error(`The table is damaged: ${problems[0].problem}`)
    const connection = await lake.duck.connect()
    const files = `${config.lake.warehouse.kind === 'folder' ? config.lake.warehouse.path : ''}/market_data/trades/data/**/*.parquet`
    const counts = 'count(*), count(DISTINCT (_partition, _offset)), count(DISTINCT message_id)'
    const answer = await connection.runAndReadAll(
      `SELECT ${counts} FROM read_parquet('${files}', hive_partitioning = false)`,
    )
    const [found] = answer.getRows()
    connection.closeSync()
    if (found.some(count => Number(count) !== TRADES)) throw new Error(`Rows, places, ids: ${found.join(', ')}`)
  } finally {
    await lake.close()
  }
}

function figuresOf(runs: WriterRun[], bytes: number): Figure[] {
  const rates = runs.map(({ seconds }) => TRADES / seconds)
  const cpu = runs.map(run => (run.processorMicros - run.startMicros) / TRADES)
  const whole = runs.map(({ processorMicros }) => processorMicros / TRADES)
  const each = (values: number[]) => values.map(short).join('; ')
  return [
    {
      name: 'from Kafka into the committed table, best of three',
      value: Math.max(...rates),
      unit: 'rows/s',
      target: '≥ 250,000',
      detail: `${each(rates)}; ${runs.map(({ commits }) => commits).join('; ')} commits; ${bytes.toFixed(0)} bytes a message; load ${runs.map(({ load }) => load).join('; ')}`,
    },
    {
      name: "processor time of the writer's process, a row, least of three",
      value: Math.min(...cpu),
      unit: 'µs',
      target: '≤ 4',
      detail: `${each(cpu)}; with its start ${each(whole)}`,
    },
    {
      name: "most resident memory of the writer's process, of three",
      value: Math.max(...runs.map(({ peakMegabytes }) => peakMegabytes)),
      unit: 'MB',
      target: '≤ 450',
      detail: each(runs.map(({ peakMegabytes }) => peakMegabytes)),
    },
    {
      name: "the owning process' event-loop delay meanwhile, p99, best of three",
      value: Math.min(...runs.map(({ loopDelayP99Ms }) => loopDelayP99Ms)),
      unit: 'ms',
      target: '≤ 10',
      detail: each(runs.map(({ loopDelayP99Ms }) => loopDelayP99Ms)),
    },
  ]
}

function measurePeer(bootstrap: string, registry: string, runs: WriterRun[]): Figure[] {
  const peer = runPythonLoop(bootstrap, registry, TOPIC, PEER_TRADES)
  if (peer.found !== peer.rows || peer.gaps > 0)
    throw new Error(`The peer found ${peer.found} rows, ${peer.gaps} gaps.`)
  const cpu = (peer.processor_seconds * 1e6) / peer.rows
  const ours = Math.min(...runs.map(run => (run.processorMicros - run.startMicros) / TRADES))
  return [
    {
      name: `a loop in Python (confluent-kafka, fastavro, PyIceberg), ${PEER_TRADES.toLocaleString('en')} of them`,
      value: peer.rows / peer.seconds,
      unit: 'rows/s',
      detail: `${short(cpu)} µs of processor time a row, ${short(cpu / ours)} times ours; ${short(peer.peak_megabytes)} MB`,
    },
  ]
}

async function measureDelays(
  environment: Record<string, string>,
  log: ReturnType<typeof openKafkaLog>,
  schemaId: number,
): Promise<Figure[]> {
  const delays = await measureTailDelay({ environment, log, topic: PROBES, schemaId, built: BUILT })
  const [seen, produced] = [timesOf(delays.seenMs), timesOf(delays.producedMs)]
  const at = 'at 5,000 messages/s, p99'
  return [
    {
      name: `produced → seen by a follower of the tail ${at}`,
      value: seen.p99,
      unit: 'ms',
      target: '≤ 50',
      detail: spread(seen),
    },
    {
      name: `produced → acknowledged by all ${at}`,
      value: produced.p99,
      unit: 'ms',
      target: '≤ 100',
      detail: spread(produced),
    },
  ]
}
