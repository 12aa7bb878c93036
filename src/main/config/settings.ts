// Every setting of K2, declared once: its variable, what it may say, its default, what it is for.
// Configuration, `k2 config`, flags, docs/configuration.md and the messages about mistakes are functions of this table.
import { join } from 'node:path'
import { LOG_FORMATS, LOG_LEVELS } from '../base/log-levels.ts'
import { defaultProfile } from './default-profile.ts'
import { amount, anyText, choice, list, optional, path, toggle, whole, word } from './kinds.ts'
import {
  bindAddress,
  brokers,
  catalog,
  hostNames,
  origins,
  pattern,
  registryAuth,
  topics,
  warehouse,
  websocketUrl,
  webUrl,
} from './kinds-of-place.ts'
import { memory, snapshotRetention, symbolTiers } from './kinds-of-policy.ts'
import { setting, type Setting } from './setting.ts'

export const WELL_KNOWN_KEY = 'k2-dev-api-key-2026'
export const LOOPBACK_NAMES = 'localhost,127.0.0.1,[::1]'

export const settings = {
  environment: setting('K2_ENVIRONMENT', word, 'dev', 'Label on logs and metrics'),
  profile: setting('K2_PROFILE', path, (_, env) => defaultProfile(env), 'Settings, keys, saved workspaces, logs', {
    shown: "the OS's app-data folder",
    flag: 'profile',
    path: true,
  }),
  connect: setting('K2_CONNECT', optional(webUrl), '', 'Be a thin client of the `k2 serve` at this address', {
    flag: 'connect',
  }),
  lake: {
    warehouse: setting(
      'K2_WAREHOUSE',
      warehouse,
      texts => join(texts('K2_PROFILE'), 'warehouse'),
      'Where the Iceberg tables are',
      { shown: '`<profile>/warehouse`', flag: 'warehouse', path: true },
    ),
    snapshotRetention: setting(
      'K2_SNAPSHOT_RETENTION',
      snapshotRetention,
      'all:1h,1m:1d,1d:90d,max:2000',
      'Which snapshots are kept: the newest of each stretch, long stretches first where the most is less than all; tags stay for good',
    ),
  },
  catalog: {
    at: setting(
      'K2_CATALOG',
      catalog,
      'sqlite',
      'sqlite is an Iceberg SQL catalog named `k2` in `<warehouse>/catalog.db`, for s3 in `<profile>/catalog.db`',
    ),
    token: setting('K2_CATALOG_TOKEN', optional(anyText), '', 'Bearer token of a REST catalog', { secret: true }),
    credential: setting('K2_CATALOG_CREDENTIAL', optional(anyText), '', 'OAuth2 client of a REST catalog, id:secret', {
      secret: true,
    }),
    warehouse: setting('K2_CATALOG_WAREHOUSE', optional(anyText), '', 'Name of the warehouse at a REST catalog'),
  },
  s3: {
    endpoint: setting('K2_S3_ENDPOINT', optional(webUrl), '', 'An S3 store other than AWS'),
    region: setting('K2_S3_REGION', optional(word), '', 'Region of the bucket'),
    accessKey: setting('K2_S3_ACCESS_KEY', optional(anyText), '', 'Access key id', { secret: true }),
    secretKey: setting('K2_S3_SECRET_KEY', optional(anyText), '', 'Secret access key', { secret: true }),
    sessionToken: setting('K2_S3_SESSION_TOKEN', optional(anyText), '', 'Session token of temporary keys', {
      secret: true,
    }),
    pathStyle: setting(
      'K2_S3_PATH_STYLE',
      toggle,
      texts => String(texts('K2_S3_ENDPOINT') !== ''),
      'Put the bucket in the path instead of the host name',
      { shown: '`true` with K2_S3_ENDPOINT, else `false`' },
    ),
  },
  kafka: {
    brokers: setting('K2_KAFKA_BROKERS', brokers, '', 'Kafka brokers; without any, only the embedded log is used'),
    ssl: setting('K2_KAFKA_SSL', toggle, 'false', 'Speak TLS with the brokers'),
    saslMechanism: setting(
      'K2_KAFKA_SASL_MECHANISM',
      optional(choice('PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512')),
      '',
      'How to log in at the brokers',
    ),
    saslUsername: setting('K2_KAFKA_SASL_USERNAME', optional(anyText), '', 'User name at the brokers'),
    saslPassword: setting('K2_KAFKA_SASL_PASSWORD', optional(anyText), '', 'Password at the brokers', { secret: true }),
    topicPattern: setting(
      'K2_TOPIC_PATTERN',
      optional(pattern),
      '',
      'Tail and write every topic whose whole name matches, also later ones; not together with K2_TOPICS',
    ),
    topics: setting(
      'K2_TOPICS',
      topics,
      texts => (texts('K2_TOPIC_PATTERN') ? '' : 'market.equities.trades.asx,market.equities.quotes.asx'),
      'What is tailed and written',
      { shown: '`market.equities.trades.asx,market.equities.quotes.asx`' },
    ),
  },
  tls: {
    caFile: setting('K2_CA_FILE', optional(path), '', 'Authority to trust for Kafka, registry, catalog and S3, PEM', {
      path: true,
    }),
    clientCertFile: setting('K2_CLIENT_CERT_FILE', optional(path), '', "K2's own certificate, PEM", { path: true }),
    clientKeyFile: setting('K2_CLIENT_KEY_FILE', optional(path), '', 'The key of that certificate, PEM', {
      path: true,
    }),
  },
  registry: {
    urls: setting(
      'K2_SCHEMA_REGISTRY_URL',
      list(webUrl),
      '',
      'Schema Registry nodes; the next one is used when one fails',
    ),
    auth: setting('K2_SCHEMA_REGISTRY_AUTH', optional(registryAuth), '', 'Login at the Schema Registry', {
      secret: true,
    }),
  },
  ingest: {
    writer: setting(
      'K2_WRITER',
      choice('auto', 'on', 'off'),
      'auto',
      "auto: write if the lease on the table's topics is free, else follow; on: fail without the lease; off: never write",
    ),
    batchSize: setting('K2_CONSUMER_BATCH_SIZE', whole(1, 200_000), '1000', 'Rows after which a batch is flushed'),
    batchSeconds: setting('K2_CONSUMER_BATCH_SECONDS', amount(1, 3600), '5', 'Seconds after which a batch is flushed'),
    consumerGroup: setting(
      'K2_CONSUMER_GROUP',
      anyText.regex(/^[\w.{}-]{1,200}$/).describe('letters, digits, dot, dash, underscore and {data_type}'),
      'k2-iceberg-writer-{data_type}',
      'Consumer group whose offsets show the lag',
    ),
    dedupeMinutes: setting(
      'K2_DEDUPE_MINUTES',
      whole(0, 10_080),
      '60',
      'Minutes within which repeats are dropped; 0: off',
    ),
    symbolTiers: setting(
      'K2_SYMBOL_TIERS',
      symbolTiers,
      '20,100',
      'Which symbols matter most when load has to be shed',
    ),
  },
  tail: {
    minutes: setting('K2_TAIL_MINUTES', amount(0.1, 1440), '5', 'How long the tail holds a message'),
    maxPerSymbol: setting('K2_TAIL_MAX_PER_SYMBOL', whole(1, 10_000_000), '10000', 'Messages held of one symbol'),
    maxMb: setting(
      'K2_TAIL_MAX_MB',
      whole(1, 65_536),
      '256',
      'Memory of the tail; the embedded log takes as much again',
    ),
  },
  api: {
    host: setting('K2_API_HOST', bindAddress, '127.0.0.1', 'Address to listen on', { flag: 'host' }),
    port: setting('K2_API_PORT', whole(0, 65_535), '8000', 'Port to listen on; 0 takes a free one', { flag: 'port' }),
    allowedHosts: setting('K2_API_ALLOWED_HOSTS', hostNames, LOOPBACK_NAMES, 'Host headers that are answered'),
    corsOrigins: setting('K2_API_CORS_ORIGINS', origins, '', 'Origins beside its own whose pages may call'),
    apiKey: setting(
      'K2_API_KEY',
      anyText.regex(/^[\x21-\x7e]{1,256}$/).describe('1 to 256 visible ASCII characters'),
      WELL_KNOWN_KEY,
      'Key that requests carry; the well-known one is accepted on loopback only',
      { secret: true },
    ),
    rateLimitPerMinute: setting(
      'K2_API_RATE_LIMIT',
      whole(0, 1_000_000),
      '100',
      'Requests a minute and key; 0: no limit',
    ),
  },
  query: {
    poolSize: setting('K2_QUERY_POOL_SIZE', whole(1, 64), '5', 'Queries that run at once'),
    timeoutMs: setting(
      'K2_QUERY_TIMEOUT_MS',
      whole(1, 86_400_000),
      '30000',
      'Milliseconds after which a query is stopped',
    ),
    memoryMb: setting('K2_QUERY_MEMORY', memory, '25%', 'Memory for queries; what exceeds it goes to disk'),
  },
  binance: {
    symbols: setting(
      'K2_BINANCE_SYMBOLS',
      list(word.toUpperCase().describe('symbols as Binance names them')),
      'BTCUSDT,ETHUSDT',
      'What `k2 ingest stream binance` follows',
    ),
    websocketUrl: setting(
      'K2_BINANCE_WEBSOCKET_URL',
      websocketUrl,
      'wss://stream.binance.com:9443',
      "Base address of Binance's public stream",
    ),
  },
  log: {
    level: setting('K2_LOG_LEVEL', choice(...LOG_LEVELS), 'info', 'Least level that is logged'),
    format: setting('K2_LOG_FORMAT', choice(...LOG_FORMATS), 'auto', 'auto: json when piped, pretty on a terminal'),
  },
} as const satisfies Record<string, Setting | Record<string, Setting>>

type ValueOf<S> = S extends Setting<infer T> ? T : { -readonly [K in keyof S]: ValueOf<S[K]> }

export type Source = 'flag' | 'environment' | 'file' | 'default'

/** Plain data: it crosses to an engine process as it is. */
export interface Config extends ValueOf<typeof settings> {
  /** By variable: where its value came from and what it said there. */
  sources: Readonly<Record<string, { source: Source; text: string }>>
  /** What is allowed but probably not meant. */
  warnings: readonly string[]
}

export function listSettings(): Setting[] {
  const entries: (Setting | Record<string, Setting>)[] = Object.values(settings)
  return entries.flatMap(entry => (isSetting(entry) ? [entry] : Object.values(entry)))
}

/** The table's shape with a value in the place of each setting. */
export function mapSettings(valueOf: (setting: Setting) => unknown): ValueOf<typeof settings> {
  const map = (entries: object): object =>
    Object.fromEntries(
      Object.entries(entries).map(([key, entry]: [string, Setting | Record<string, Setting>]) => [
        key,
        isSetting(entry) ? valueOf(entry) : map(entry),
      ]),
    )
  return map(settings) as ValueOf<typeof settings>
}

function isSetting(entry: Setting | Record<string, Setting>): entry is Setting {
  return typeof entry.name === 'string'
}

/** Variables that tests, tools and K2's own processes read; they configure nothing and are no mistake. */
export const SWITCHES: readonly string[] = [
  'K2_BENCH',
  'K2_CHROMIUM',
  'K2_ELECTRON',
  'K2_ENGINE',
  'K2_REQUIRE_ALL',
  'K2_REQUIRE_ELECTRON',
  'K2_UPDATE',
]
