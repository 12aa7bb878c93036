// From the configuration to the log: Kafka with its Schema Registry, or the log embedded in a process of ours.
import { readFileSync } from 'node:fs'
import { Failure } from '../../contract/failure.ts'
import type { Log } from '../base/log.ts'
import type { Config } from '../config/settings.ts'
import type { KafkaEvent, KafkaLogOptions } from '../log/kafka.ts'
import type { MessageLog } from '../log/message-log.ts'
import { openRegistry, type RegistryEvent, type SchemaRegistry } from '../log/registry.ts'
import { createSchemaIds } from '../log/schema-ids.ts'
import type { SchemaOf } from '../market/decode-wire.ts'
import type { Standardize } from '../market/standard-batch.ts'
import { createStandardizer, noRegistry } from '../market/standardize.ts'

export type LogEvent = KafkaEvent | RegistryEvent

export interface OpenedLog {
  log: MessageLog
  registry?: SchemaRegistry
  schemaOf: SchemaOf
  standardize: Standardize
  /** Under which id rows are written to a topic; registers their schema where there is a registry. */
  schemaIdOf: (topic: string) => Promise<number>
  close: () => Promise<void>
}

export function isOnKafka({ kafka }: Config): boolean {
  return kafka.brokers.length > 0
}

/** `embedded` gives the log where no Kafka is configured. */
export async function openLog(
  config: Config,
  logger: Log,
  embedded: () => MessageLog,
  onEvent: (event: LogEvent) => void = () => {},
): Promise<OpenedLog> {
  const tell = (event: LogEvent) => {
    // Kafka's events say themselves what happened; a line of the log has one message.
    const { kind, ...fields } = event
    const said = 'message' in event ? event.message : kind.replaceAll('-', ' ')
    logger.warn(said, { ...fields, message: undefined, event: kind })
    onEvent(event)
  }
  const registry = config.registry.urls.length > 0 ? openRegistry(registryOptions(config, tell)) : undefined
  const schemas = registry ?? noRegistry
  const log = isOnKafka(config) ? await openKafka(config, tell) : embedded()
  return {
    log,
    registry,
    schemaOf: schemas.schemaOf,
    standardize: createStandardizer({ schemas }),
    schemaIdOf: createSchemaIds(registry),
    async close() {
      registry?.close()
      await log.close()
    },
  }
}

/** Loaded where there is one: kafkajs takes a tenth of a second. */
async function openKafka(config: Config, onEvent: (event: LogEvent) => void): Promise<MessageLog> {
  const { openKafkaLog } = await import('../log/kafka.ts')
  return openKafkaLog(kafkaOptions(config, onEvent))
}

function kafkaOptions({ kafka, tls }: Config, onEvent: (event: LogEvent) => void): KafkaLogOptions {
  const { brokers, ssl, saslMechanism: mechanism, saslUsername: username, saslPassword: password } = kafka
  const { caFile, clientCertFile, clientKeyFile } = tls
  if (mechanism && !(username && password))
    throw new Failure(
      'INVALID_INPUT',
      'K2_KAFKA_SASL_MECHANISM is set, so K2_KAFKA_SASL_USERNAME and K2_KAFKA_SASL_PASSWORD are needed too.',
    )
  return {
    brokers,
    ssl: ssl && {
      ca: readPem('K2_CA_FILE', caFile),
      cert: readPem('K2_CLIENT_CERT_FILE', clientCertFile),
      key: readPem('K2_CLIENT_KEY_FILE', clientKeyFile),
    },
    sasl: mechanism && { mechanism, username: username!, password: password! },
    onEvent,
  }
}

function registryOptions(
  { registry, tls }: Config,
  onEvent: (event: LogEvent) => void,
): Parameters<typeof openRegistry>[0] {
  return {
    urls: registry.urls,
    auth: registry.auth,
    ca: readPem('K2_CA_FILE', tls.caFile),
    onEvent,
  }
}

function readPem(variable: string, file: string | undefined): string | undefined {
  if (file === undefined) return undefined
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new Failure('INVALID_INPUT', `${variable} names ${file}, which cannot be read. Name another file.`, { cause })
  }
}
