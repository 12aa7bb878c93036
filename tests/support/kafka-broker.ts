// A real Kafka broker (KRaft, one node) on free loopback ports, out of Maven and kept outside of the tree.
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePorts } from './free-ports.ts'
import { LOOPBACK_CERTIFICATE, LOOPBACK_KEY } from './loopback-certificate.ts'

export const KAFKA_VERSIONS = ['4.2.0', '3.9.2'] as const
export type KafkaVersion = (typeof KAFKA_VERSIONS)[number]

/** Of the only user of a broker that was started with `sasl`; PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512 all know it. */
export const KAFKA_USER = { username: 'k2', password: 'k2-test-secret' }

export interface KafkaOptions {
  version?: KafkaVersion
  /** Where its data is, kept when it is closed; one of its own, removed then, when left out. */
  dir?: string
  port?: number
  sasl?: boolean
  /** What it tells its clients to connect to instead of its own port: a proxy in front of it. */
  advertisedPort?: number
  /** With the loopback certificate. */
  tls?: boolean
  /** Further lines of server.properties. */
  properties?: Readonly<Record<string, string | number | boolean>>
  /** Another broker of this one's cluster, which must run. */
  joins?: KafkaBroker
  /** Every cluster of these tests has the same, unless told: 22 characters of base64. */
  clusterId?: string
}

export interface KafkaBroker {
  bootstrap: string
  port: number
  dir: string
  /** Of the Java process that runs now. */
  readonly pid: number
  /** Ends it and keeps its data; SIGKILL unless told, as a machine that loses power. */
  stop: (signal?: NodeJS.Signals) => Promise<void>
  /** On the same port over the same data; kills it first where it runs. */
  restart: () => Promise<void>
  /** Ends it for good and removes a folder of its own. */
  close: () => Promise<void>
  /** Where its controller listens, for brokers that join it. */
  controller: string
}

/** K2_TEST_KAFKA=3.9.2 runs every test on that one. */
const DEFAULT_VERSION = KAFKA_VERSIONS.find(version => version === process.env.K2_TEST_KAFKA) ?? '4.2.0'
/** A small broker that lives for seconds: no second compiler, no parallel collector. */
const JVM = ['-Xms128m', '-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:-UsePerfData', '-Xshare:auto']
const CLUSTER_ID = 'MkU3OEVBNTcwNTJENDM2Qk'
const START_TIMEOUT_MS = 90_000
const STOP_TIMEOUT_MS = 15_000
const TRIES = 3

const found = new Map<KafkaVersion, { missing?: string }>()

/** Looked for once a run, as it may have to be fetched. */
export function findKafka(version: KafkaVersion = DEFAULT_VERSION): { missing?: string } {
  let answer = found.get(version)
  if (!answer) found.set(version, (answer = find(version)))
  return answer
}

function find(version: KafkaVersion): { missing?: string } {
  if (spawnSync('java', ['-version'], { stdio: 'ignore' }).status !== 0)
    return { missing: 'no java; apt install default-jre-headless has it' }
  try {
    if (!existsSync(jars(version))) install(version)
    return {}
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: Buffer; stderr?: Buffer }
    const [line] = (stdout?.toString() || stderr?.toString() || String(error)).split('\n')
    return { missing: `no Kafka ${version}: Maven (apt install maven) could not bring it: ${line}` }
  }
}

/** Writes lines of `key:value` with Kafka's own producer in Java. */
export async function produceWithJava(bootstrap: string, topic: string, lines: readonly string[], codec: string) {
  const words = ['--bootstrap-server', bootstrap, '--topic', topic, '--compression-codec', codec]
  const keys = ['--property', 'parse.key=true', '--property', 'key.separator=:']
  const name = DEFAULT_VERSION.startsWith('3')
    ? 'kafka.tools.ConsoleProducer'
    : 'org.apache.kafka.tools.ConsoleProducer'
  const main = ['-cp', `${jars()}/*`, name]
  const child = spawn('java', [...JVM, ...main, ...words, ...keys], { stdio: ['pipe', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (text: Buffer) => (said += text.toString()))
  child.stdin.on('error', () => {}) // its own end says more
  child.stdin.end(lines.map(line => `${line}\n`).join(''))
  const status = await new Promise(resolve => child.once('close', resolve))
  if (status !== 0) throw new Error(`Kafka's console producer failed: ${said}`)
}

function jars(version: KafkaVersion = DEFAULT_VERSION): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), `k2/kafka-tools/${version}/lib`)
}

/** Under another name until it is whole, so that an interrupted one is not taken for it. */
function install(version: KafkaVersion): void {
  const folder = dirname(jars(version))
  mkdirSync(dirname(folder), { recursive: true })
  const partial = mkdtempSync(`${folder}-`)
  try {
    copyFileSync(join(import.meta.dirname, 'kafka-broker.xml'), join(partial, 'pom.xml'))
    const words = ['--quiet', '--batch-mode', `-Dkafka.version=${version}`, 'dependency:copy-dependencies']
    execFileSync('mvn', [...words, '-DoutputDirectory=lib'], { cwd: partial, stdio: ['ignore', 'pipe', 'pipe'] })
    renameSync(partial, folder)
  } catch (error) {
    rmSync(partial, { recursive: true, force: true })
    if (!existsSync(folder)) throw error // else another run was faster
  }
}

/** Ready when this returns; dies with this process, however that dies. */
export async function startKafka(options: KafkaOptions = {}): Promise<KafkaBroker> {
  const { version = DEFAULT_VERSION } = options
  const { missing } = findKafka(version)
  if (missing !== undefined) throw new Error(missing)
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'k2-kafka-'))
  mkdirSync(dir, { recursive: true })
  const discard = () => {
    if (options.dir === undefined) rmSync(dir, { recursive: true, force: true })
  }
  for (let n = 1; ; n++) {
    const [free, internal, controllerPort] = await freePorts(3)
    const port = options.port ?? free
    const controller = options.joins?.controller ?? `127.0.0.1:${controllerPort}`
    const file = join(dir, 'server.properties')
    const properties = propertiesOf(options, { dir, port, internal, controller })
    writeFileSync(file, Object.entries(properties).map(([name, value]) => `${name}=${value}\n`).join('')) // prettier-ignore
    try {
      await format(version, file, dir, options.clusterId)
      const run = runner(version, file, dir)
      await run.start()
      process.once('exit', discard)
      return {
        bootstrap: `127.0.0.1:${port}`,
        port,
        dir,
        controller,
        get pid() {
          return run.pid()
        },
        stop: run.stop,
        async restart() {
          await run.stop()
          await run.start()
        },
        async close() {
          await run.stop()
          process.off('exit', discard)
          discard()
        },
      }
    } catch (error) {
      // Another program may have taken a port meanwhile.
      if (n < TRIES && /already in use|Failed to bind/i.test(String(error))) continue
      discard()
      throw error
    }
  }
}

interface Places {
  dir: string
  port: number
  internal: number
  controller: string
}

function propertiesOf(options: KafkaOptions, { dir, port, internal, controller }: Places) {
  const { sasl, tls, properties, joins, advertisedPort = port } = options
  const protocol = `${sasl ? 'SASL_' : ''}${tls ? 'SSL' : 'PLAINTEXT'}`
  const listeners = [`CLIENT://127.0.0.1:${port}`, `INTERNAL://127.0.0.1:${internal}`]
  if (tls) writeFileSync(join(dir, 'broker.pem'), LOOPBACK_KEY + LOOPBACK_CERTIFICATE)
  const login = (module: string) => `org.apache.kafka.common.security.${module} required`
  const { username, password } = KAFKA_USER
  return {
    'process.roles': joins ? 'broker' : 'broker,controller',
    'node.id': joins ? 2 : 1,
    'controller.quorum.voters': `1@${controller}`,
    listeners: (joins ? listeners : [...listeners, `CONTROLLER://${controller}`]).join(','),
    'advertised.listeners': [`CLIENT://127.0.0.1:${advertisedPort}`, listeners[1]].join(','),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'INTERNAL',
    'listener.security.protocol.map': `CONTROLLER:PLAINTEXT,INTERNAL:PLAINTEXT,CLIENT:${protocol}`,
    'log.dirs': join(dir, 'data'),
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 1,
    'group.initial.rebalance.delay.ms': 0,
    'auto.create.topics.enable': false,
    // How long a killed broker counts as alive, and so how long it takes to come back; nine seconds by itself.
    'broker.session.timeout.ms': 1000,
    'broker.heartbeat.interval.ms': 250,
    'log.cleaner.dedupe.buffer.size': 2_097_152,
    'num.network.threads': 2,
    'num.io.threads': 2,
    'background.threads': 2,
    'num.recovery.threads.per.data.dir': 1,
    ...(tls && {
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.location': join(dir, 'broker.pem'),
    }),
    ...(sasl && {
      'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
      'listener.name.client.plain.sasl.jaas.config': `${login('plain.PlainLoginModule')} user_${username}="${password}";`,
      'listener.name.client.scram-sha-256.sasl.jaas.config': `${login('scram.ScramLoginModule')};`,
      'listener.name.client.scram-sha-512.sasl.jaas.config': `${login('scram.ScramLoginModule')};`,
    }),
    ...properties,
  }
}

/** Once: a folder that has data keeps it. */
async function format(version: KafkaVersion, file: string, dir: string, clusterId = CLUSTER_ID): Promise<void> {
  if (existsSync(join(dir, 'data/meta.properties'))) return
  const { username, password } = KAFKA_USER
  const scram = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap(mechanism => [
    '--add-scram',
    `${mechanism}=[name=${username},password=${password}]`,
  ])
  const words = ['kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', file, ...scram]
  const { status, stdout, stderr } = spawnSync('java', [...JVM, '-cp', `${jars(version)}/*`, ...words], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`Kafka's storage could not be formatted: ${stdout}${stderr}`)
}

/** A shell stands between and kills the broker when its input ends: with this process, however that dies. */
const TIED = 'exec 3<&0; "$@" >&2 3<&- & broker=$!; { cat <&3; kill -9 $broker; } >&2 & echo $broker; wait $broker'

function runner(version: KafkaVersion, file: string, dir: string) {
  const log = join(dir, 'server.log')
  let shell: ChildProcess | undefined
  let ended = Promise.resolve()
  let pid = 0

  async function start(): Promise<void> {
    const words = [...JVM, '-Dorg.slf4j.simpleLogger.defaultLogLevel=info', '-cp', `${jars(version)}/*`, 'kafka.Kafka']
    const output = openSync(log, 'w')
    const child = spawn('sh', ['-c', TIED, 'sh', 'java', ...words, file], { stdio: ['pipe', 'pipe', output] })
    closeSync(output)
    shell = child
    ended = new Promise(resolve => child.once('exit', () => resolve()))
    pid = await new Promise(resolve => child.stdout!.once('data', (text: Buffer) => resolve(Number(text))))
    const deadline = Date.now() + START_TIMEOUT_MS
    while (!/Kafka Server started/.test(readFileSync(log, 'utf8'))) {
      if (child.exitCode !== null || Date.now() > deadline) {
        await stop()
        throw new Error(`Kafka ${version} did not start:\n${readFileSync(log, 'utf8').slice(-3000)}`)
      }
      await Promise.race([sleep(50), ended])
    }
  }

  async function stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = shell
    if (!child || child.exitCode !== null) return
    process.kill(pid, signal)
    const timer = setTimeout(() => process.kill(pid, 'SIGKILL'), STOP_TIMEOUT_MS)
    await ended
    clearTimeout(timer)
    child.stdin!.destroy()
  }

  return { start, stop, pid: () => pid }
}
