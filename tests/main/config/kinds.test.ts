// What each kind of setting takes and what it becomes.
import { totalmem } from 'node:os'
import { describe, expect, it } from 'vitest'
import { listSettings } from '../../../src/main/config/settings.ts'
import { readTotalMemoryMb } from '../../../src/main/base/memory.ts'
import { loadSaid } from './load.ts'

const kindOf = (name: string) => listSettings().find(setting => setting.name === name)!.kind

function read(name: string, text: string): unknown {
  return kindOf(name).safeParse(text).data
}

describe('defaults', () => {
  it('are what the product promises', () => {
    const config = loadSaid()
    expect(config).toMatchObject({
      environment: 'dev',
      lake: { warehouse: { kind: 'folder', path: `${config.profile}/warehouse` } },
      catalog: { at: { kind: 'sqlite' } },
      s3: { pathStyle: false },
      kafka: { brokers: [], ssl: false, topics: ['market.equities.trades.asx', 'market.equities.quotes.asx'] },
      registry: { urls: [] },
      ingest: {
        writer: 'auto',
        batchSize: 1000,
        batchSeconds: 5,
        consumerGroup: 'k2-iceberg-writer-{data_type}',
        dedupeMinutes: 60,
        symbolTiers: { by: 'volume', sizes: [20, 100] },
      },
      tail: { minutes: 5, maxPerSymbol: 10_000, maxMb: 256 },
      api: {
        host: '127.0.0.1',
        port: 8000,
        allowedHosts: ['localhost', '127.0.0.1', '[::1]'],
        corsOrigins: [],
        apiKey: 'k2-dev-api-key-2026',
        rateLimitPerMinute: 100,
      },
      query: { poolSize: 5, timeoutMs: 30_000, memoryMb: Math.floor(readTotalMemoryMb() / 4) },
      binance: { symbols: ['BTCUSDT', 'ETHUSDT'] },
      log: { level: 'info', format: 'auto' },
      warnings: [],
    })
    const hour = 3_600_000
    expect(config.lake.snapshotRetention).toEqual({
      keep: [
        { everyMs: 0, forMs: hour },
        { everyMs: 60_000, forMs: 24 * hour },
        { everyMs: 24 * hour, forMs: 90 * 24 * hour },
      ],
      most: 2000,
    })
    expect(readTotalMemoryMb()).toBeLessThanOrEqual(totalmem() / 1e6)
  })

  it('can all be typed as they are shown', () => {
    for (const { name, kind, fallback } of listSettings()) {
      if (typeof fallback === 'string') expect(kind.safeParse(fallback), name).toMatchObject({ success: true })
    }
  })

  it('cross to another process as they are', () => {
    const config = loadSaid()
    expect(structuredClone(config)).toEqual(config)
  })
})

describe('values', () => {
  it.each([
    ['K2_WAREHOUSE', 's3://lake', { kind: 's3', bucket: 'lake', prefix: '' }],
    ['K2_WAREHOUSE', 's3://lake/k2/prod/', { kind: 's3', bucket: 'lake', prefix: 'k2/prod' }],
    ['K2_WAREHOUSE', 'file:///data/my%20lake', { kind: 'folder', path: '/data/my lake' }],
    ['K2_CATALOG', 'SQLite', { kind: 'sqlite' }],
    ['K2_CATALOG', 'https://catalog.example/rest', { kind: 'rest', url: 'https://catalog.example/rest' }],
    ['K2_KAFKA_BROKERS', 'a:9092, [::1]:9093 ,a:9092', ['a:9092', '[::1]:9093']],
    ['K2_KAFKA_SASL_MECHANISM', 'scram-sha-256', 'SCRAM-SHA-256'],
    ['K2_KAFKA_SSL', 'yes', true],
    ['K2_SCHEMA_REGISTRY_URL', 'http://a:8081,http://b:8081', ['http://a:8081', 'http://b:8081']],
    ['K2_SCHEMA_REGISTRY_AUTH', 'me:pass:word', { user: 'me', password: 'pass:word' }],
    ['K2_SCHEMA_REGISTRY_AUTH', 'abc', { token: 'abc' }],
    ['K2_API_HOST', '[::1]', '::1'],
    ['K2_API_HOST', 'fe80::1', 'fe80::1'],
    [
      'K2_API_CORS_ORIGINS',
      'https://desk.example,http://localhost:3000',
      ['https://desk.example', 'http://localhost:3000'],
    ],
    ['K2_QUERY_MEMORY', '2GB', 2000],
    ['K2_QUERY_MEMORY', '512 MiB', 536],
    ['K2_SYMBOL_TIERS', '{"first":["BHP"],"second":["CBA"]}', { by: 'list', tiers: [['BHP'], ['CBA']] }],
    ['K2_SNAPSHOT_RETENTION', 'all:7d', { keep: [{ everyMs: 0, forMs: 7 * 86_400_000 }], most: 2000 }],
    ['K2_BINANCE_SYMBOLS', 'solusdt', ['SOLUSDT']],
    ['K2_CONSUMER_BATCH_SECONDS', '2.5', 2.5],
  ])('%s takes %s', (name, text, value) => {
    expect(read(name, text)).toEqual(value)
  })

  it.each([
    ['K2_WAREHOUSE', ['gs://bucket', 's3://', 's3://UPPER', 'file://%zz']],
    ['K2_CATALOG', ['postgres', 'thrift://hive:9083', 'http://']],
    ['K2_KAFKA_BROKERS', ['kafka', 'kafka:0', 'kafka:70000', 'http://kafka:9092', 'a:1;b:2']],
    ['K2_KAFKA_SASL_MECHANISM', ['GSSAPI', 'plain text']],
    ['K2_TOPICS', ['a b', 'x/y', '..', 'a'.repeat(250)]],
    ['K2_TOPIC_PATTERN', ['market.(', '[']],
    ['K2_SCHEMA_REGISTRY_URL', ['registry:8081', 'http://a,registry']],
    ['K2_API_HOST', ['127.0.0.1:8000', 'http://localhost', 'two words', '-x']],
    ['K2_API_PORT', ['-1', '1.5', '65536', '0x10', '1e3', '８０']],
    ['K2_API_CORS_ORIGINS', ['*', 'desk.example', 'https://desk.example/path', 'null']],
    ['K2_API_ALLOWED_HOSTS', ['*', 'desk.example:8000', 'http://desk']],
    ['K2_API_KEY', ['two words', 'schlüssel', 'a'.repeat(257)]],
    ['K2_QUERY_MEMORY', ['2', '0%', '120%', '1MB', 'lots']],
    ['K2_QUERY_POOL_SIZE', ['0', '65']],
    ['K2_SNAPSHOT_RETENTION', ['', 'all', '1h', 'all:1x', '1m:1d,all:1h', 'all:2d,1m:1d', 'all:1h,max:0', 'max:5']],
    ['K2_SYMBOL_TIERS', ['top', '[1,2]', '[["BHP"]', '"BHP"', '20;100']],
    ['K2_BINANCE_WEBSOCKET_URL', ['https://stream.binance.com', 'stream']],
    ['K2_LOG_LEVEL', ['verbose', '3']],
    ['K2_CONSUMER_GROUP', ['a b', '']],
  ])('%s refuses %j', (name, texts) => {
    expect(texts.filter(text => kindOf(name).safeParse(text).success)).toEqual([])
  })
})
