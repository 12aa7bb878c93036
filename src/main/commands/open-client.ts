// Which K2 answers a command: the one named by --connect, else the one that runs on this profile, else engines of its own.
import type { Client } from '../../contract/capability.ts'
import { connectClient } from '../../contract/client.ts'
import { Failure } from '../../contract/failure.ts'
import { contract, type K2 } from '../../contract/index.ts'
import { closeInOrder } from '../base/close-in-order.ts'
import { timeLimit } from '../base/in-time.ts'
import { loadConfig } from '../config/load-config.ts'
import { readInstance } from '../config/profile.ts'
import type { Config } from '../config/settings.ts'
import { version } from '../../../package.json'

/** The options that every command has. */
export interface GlobalFlags {
  profile?: string
  warehouse?: string
  connect?: string
  verbose?: boolean
}

export interface Opened {
  client: Client<K2>
  /** What the person should know about who answers; nothing when that is obvious. */
  note?: string
  close: () => Promise<void>
}

/**
 * Unless --connect names one, `own` are engines of its own also while a K2 runs on this profile; `nearKafka` the same
 * where there is a Kafka, as without one the log is in the K2 that runs. `onlyLog` is refused where there is neither:
 * what it made in a log of its own would be gone with it. `either` is answered alike by both, and sooner by the one that
 * runs.
 */
export type Place = 'running' | 'own' | 'nearKafka' | 'onlyLog' | 'either'

export async function openClient(flags: GlobalFlags, place: Place): Promise<Opened> {
  const config = loadConfig({ flags: { ...flags }, env: process.env })
  const isOnLog = place === 'nearKafka' || place === 'onlyLog'
  const isOwn = place === 'own' || (isOnLog && config.kafka.brokers.length > 0)
  const url = config.connect || (isOwn ? undefined : readInstance(config.profile)?.url)
  if (url) return connectTo(url, config.api.apiKey)
  if (place === 'onlyLog' && !isOwn) throw new Failure('UNAVAILABLE', NO_LOG, { retryable: false })
  return { ...(await openOwn(config)), ...(place === 'running' && { note: NOTHING_LIVE }) }
}

const NOTHING_LIVE =
  'No K2 runs on this profile, so there is no live data here: start one with `k2 serve`, or use --connect.'
const NO_LOG =
  'There is no log for topics: no Kafka is configured, and no K2 runs on this profile. ' +
  'Set K2_KAFKA_BROKERS, start one with `k2 serve`, or use --connect.'

async function connectTo(url: string, apiKey: string): Promise<Opened> {
  const { connectWebSocket } = await import('../wire/ws-client.ts')
  const port = await connectWebSocket(url, { apiKey })
  return { client: connectClient(contract, port), close: async () => port.close() }
}

async function openOwn(config: Config): Promise<Opened> {
  const [{ compose }, { connectDirect }, { createLog }] = await Promise.all([
    import('../compose.ts'),
    import('../wire/direct.ts'),
    import('../base/log.ts'),
  ])
  // What fails is said by the command itself; only bugs are worth a line of the log.
  const quiet: Config = { ...config, log: { ...config.log, level: 'error' } }
  const log = createLog({ ...quiet.log, environment: config.environment })
  const composed = compose({ config: quiet, log, version, placement: 'here' })
  return {
    client: connectDirect(contract, composed.dispatch, 'cli'),
    close: async () => void (await closeInOrder(composed.closeSteps, timeLimit(5_000))),
  }
}
