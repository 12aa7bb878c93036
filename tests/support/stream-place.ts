// Where a stream is put to the test: a real broker, a real registry, a lake, and topics of its own on them.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '../../src/main/config/load-config.ts'
import type { Config } from '../../src/main/config/settings.ts'
import { openKafkaLog } from '../../src/main/log/kafka.ts'
import type { MessageLog } from '../../src/main/log/message-log.ts'
import { openRegistry } from '../../src/main/log/registry.ts'
import { registerSchema } from '../../src/main/log/schema-ids.ts'
import { startKafka, type KafkaBroker } from './kafka-broker.ts'
import { startJudge, type Judge } from './pyiceberg.ts'
import { startRegistry, type RegistryServer } from './registry-server.ts'
import { openScope, type Scope } from './scope.ts'
import { openFeed, type Feed, type FeedOptions, type FeedTopic } from './stream-feed.ts'
import { removeBundle, startWriterChild, type ChildFaults, type WriterChild } from './writer-child.ts'

export interface StreamServers {
  broker: KafkaBroker
  registry: RegistryServer
  judge: Judge
  close: () => Promise<void>
}

export async function openStreamServers(): Promise<StreamServers> {
  const scope = openScope()
  scope.add(removeBundle)
  const started = await Promise.allSettled([startKafka(), startRegistry(), startJudge()])
  const [broker, registry, judge] = started.map(one => (one.status === 'fulfilled' ? one.value : undefined)) as [
    KafkaBroker | undefined,
    RegistryServer | undefined,
    Judge | undefined,
  ]
  if (broker) scope.add(broker.close)
  if (registry) scope.add(registry.stop)
  if (judge) scope.add(judge.close)
  const failed = started.find(one => one.status === 'rejected')
  if (failed) {
    await scope.close()
    throw failed.reason as Error
  }
  return { broker: broker!, registry: registry!, judge: judge!, close: scope.close }
}

export interface PlaceOptions {
  /** Of the exchange, and so of the topics. */
  name: string
  tables?: readonly ('trades' | 'quotes')[]
  partitions?: number
  feed?: FeedOptions
  /** Instead of a folder with its SQLite catalog. */
  lake?: { env: Record<string, string>; catalog: Record<string, string> }
  /** A registry at another address than its own. */
  registryUrl?: string
  env?: Record<string, string>
}

export interface StreamPlace {
  servers: StreamServers
  scope: Scope
  folder: string
  env: Record<string, string>
  config: Config
  /** For the judge. */
  catalog: Record<string, string>
  log: MessageLog
  feed: Feed
  topics: readonly FeedTopic[]
  /** Killed with the place. */
  startWriter: (faults?: ChildFaults, changes?: Record<string, string>) => Promise<WriterChild>
  close: () => Promise<void>
}

export async function openStreamPlace(servers: StreamServers, options: PlaceOptions): Promise<StreamPlace> {
  const { name, tables = ['trades', 'quotes'], partitions = 4 } = options
  const scope = openScope()
  const folder = mkdtempSync(join(tmpdir(), `k2-stream-${name}-`))
  scope.add(() => rmSync(folder, { recursive: true, force: true }))
  const log = openKafkaLog({ brokers: [servers.broker.bootstrap], deliverMs: 120_000 })
  scope.add(() => log.close())
  const registry = openRegistry({ urls: [servers.registry.url] })
  scope.add(registry.close)
  const topics: FeedTopic[] = []
  for (const table of tables) {
    const topic = `market.equities.${table}.${name}`
    topics.push({ topic, table, schemaId: await registerSchema(registry, topic) })
  }
  await log.createTopics(topics.map(({ topic }) => ({ name: topic, partitions })))

  const warehouse = join(folder, 'warehouse')
  const env = {
    HOME: folder,
    K2_PROFILE: join(folder, 'profile'),
    K2_WAREHOUSE: warehouse,
    K2_KAFKA_BROKERS: servers.broker.bootstrap,
    K2_SCHEMA_REGISTRY_URL: options.registryUrl ?? servers.registry.url,
    K2_TOPICS: topics.map(({ topic }) => topic).join(','),
    K2_CONSUMER_BATCH_SECONDS: '1',
    K2_LOG_LEVEL: 'warn',
    K2_LOG_FORMAT: 'json',
    ...options.lake?.env,
    ...options.env,
  }
  const catalog = options.lake?.catalog ?? {
    name: 'k2',
    type: 'sql',
    uri: `sqlite:///${join(warehouse, 'catalog.db')}`,
    warehouse: `file://${warehouse}`,
  }
  return {
    servers,
    scope,
    folder,
    env,
    config: loadConfig({ env }),
    catalog,
    log,
    feed: openFeed(log, topics, options.feed),
    topics,
    async startWriter(faults, changes = {}) {
      const child = await startWriterChild(loadConfig({ env: { ...env, ...changes } }), faults)
      scope.add(async () => {
        child.signal('SIGKILL')
        await child.ended
      })
      return child
    },
    close: scope.close,
  }
}
