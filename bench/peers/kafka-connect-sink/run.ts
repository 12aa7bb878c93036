// Iceberg's own sink for Kafka Connect over the same topic as the product's writer, on this machine, until all is committed:
//   node --import tsx bench/peers/kafka-connect-sink/run.ts [trades]
// It drops no repeats, sees no gaps, keeps no dead letters and sorts no rows, and times become
// longs, as the converter does not know microseconds: less work than the product's writer does.
// A broker, a registry and an Iceberg REST catalog beside it, as the tests start them. It prints one line of JSON.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openKafkaLog } from '../../../src/main/log/kafka.ts'
import { openRegistry } from '../../../src/main/log/registry.ts'
import { createSchemaIds } from '../../../src/main/log/schema-ids.ts'
import { startIcebergRest } from '../../../tests/support/iceberg-rest.ts'
import { startKafka } from '../../../tests/support/kafka-broker.ts'
import { pythonEnvironment } from '../../../tests/support/python-tools.ts'
import { startRegistry } from '../../../tests/support/registry-server.ts'
import { loadAverage, peakMegabytes, processorMicros } from '../../support/process-cost.ts'
import { fillTopic } from '../../support/stream-trades.ts'
import { startConnect } from './start-connect.ts'

const TOPIC = 'market.equities.trades.asx'
const CONTROL_TOPIC = 'control-iceberg'
/** As in the product's own benchmark. */
const PARTITIONS = 16
const TRADES = Number(process.argv[2] ?? 200_000)
/** Between two commits; the sink's own default is five minutes. What is left of the last one is in the figure. */
const COMMIT_MS = 5_000
const LOOK_MS = 100
const WITHIN_MS = 60_000 + TRADES / 2

const open: (() => unknown)[] = []
const folder = mkdtempSync(join(tmpdir(), 'k2-connect-'))
open.push(() => rmSync(folder, { recursive: true, force: true }))
try {
  const broker = await startKafka()
  open.push(() => broker.close())
  const servers = await startRegistry()
  open.push(() => servers.stop())
  const catalog = await startIcebergRest({ warehouse: join(folder, 'warehouse') })
  open.push(() => catalog.stop())
  const log = openKafkaLog({ brokers: [broker.bootstrap] })
  open.push(() => log.close())
  const registry = openRegistry({ urls: [servers.url] })
  open.push(() => registry.close())
  await log.createTopics([{ name: TOPIC, partitions: PARTITIONS }])
  await log.createTopics([{ name: CONTROL_TOPIC, partitions: 1 }])
  await fillTopic(log, TOPIC, TRADES, await createSchemaIds(registry)(TOPIC))
  await fetch(`${catalog.url}/v1/namespaces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ namespace: ['peer'], properties: {} }),
  })

  const connect = await startConnect({ bootstrap: broker.bootstrap, folder })
  open.push(() => connect.stop())
  const startMicros = processorMicros(connect.pid)
  const started = performance.now()
  await connect.create('iceberg', {
    'connector.class': 'org.apache.iceberg.connect.IcebergSinkConnector',
    'tasks.max': 1,
    topics: TOPIC,
    'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
    'value.converter': 'io.apicurio.registry.utils.converter.AvroConverter',
    'value.converter.apicurio.registry.url': servers.url.replace('ccompat/v7', 'registry/v2'),
    'value.converter.apicurio.registry.as-confluent': true,
    'value.converter.apicurio.registry.use-id': 'contentId',
    'consumer.override.auto.offset.reset': 'earliest',
    'iceberg.tables': 'peer.trades',
    'iceberg.tables.auto-create-enabled': true,
    'iceberg.tables.auto-create-props.write.parquet.compression-codec': 'zstd',
    'iceberg.control.commit.interval-ms': COMMIT_MS,
    'iceberg.control.topic': CONTROL_TOPIC,
    'iceberg.catalog.type': 'rest',
    'iceberg.catalog.uri': catalog.url,
  })
  while ((await committedRows(catalog.url)) < TRADES) {
    if (performance.now() - started > WITHIN_MS)
      throw new Error(
        `Of ${TRADES} trades ${await committedRows(catalog.url)} were committed in time.\n${connect.said()}`,
      )
    await connect.check('iceberg')
    await sleep(LOOK_MS)
  }
  const seconds = (performance.now() - started) / 1000
  const processor = processorMicros(connect.pid)
  const megabytes = peakMegabytes(connect.pid)
  const { rows, ids, commits, types } = judge(catalog.url)
  if (rows !== TRADES || ids !== TRADES) throw new Error(`PyIceberg finds ${rows} rows with ${ids} ids.`)
  console.log(
    JSON.stringify({
      rows,
      seconds: Number(seconds.toFixed(2)),
      rows_per_second: Math.round(TRADES / seconds),
      processor_micros_a_row: Number(((processor - startMicros) / TRADES).toFixed(2)),
      with_its_start: Number((processor / TRADES).toFixed(2)),
      peak_megabytes: Math.round(megabytes),
      commits,
      types,
      load: loadAverage(),
    }),
  )
} finally {
  for (const close of open.reverse()) await close()
}

interface Judged {
  rows: number
  ids: number
  commits: number
  /** What the sink has made of some of the columns. */
  types: Record<string, string>
}

/** As the catalog says; none while there is no table. */
async function committedRows(url: string): Promise<number> {
  const answer = await fetch(`${url}/v1/namespaces/peer/tables/trades`)
  if (!answer.ok) return 0
  const { metadata } = (await answer.json()) as {
    metadata: { 'current-snapshot-id'?: number; snapshots?: { summary: Record<string, string> }[] }
  }
  return Number(metadata.snapshots?.at(-1)?.summary['total-records'] ?? 0)
}

function judge(url: string): Judged {
  const script = `
import json, sys
from pyiceberg.catalog import load_catalog
table = load_catalog("peer", type="rest", uri=sys.argv[1]).load_table("peer.trades")
ids = table.scan(selected_fields=("message_id",)).to_arrow()["message_id"]
types = {name: str(table.schema().find_type(name)) for name in ("exchange_timestamp", "price", "trade_conditions")}
print(json.dumps({"rows": len(ids), "ids": len(ids.unique()), "commits": len(table.metadata.snapshots), "types": types}))`
  const printed = execFileSync('python3', ['-c', script, url], { env: pythonEnvironment(), encoding: 'utf8' })
  return JSON.parse(printed) as Judged
}
