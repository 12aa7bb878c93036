// Kafka Connect as one process on a free loopback port, out of Maven and kept outside of the tree.
import { execFileSync, spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../../tests/support/free-ports.ts'

export interface Connect {
  pid: number
  create: (name: string, config: Readonly<Record<string, string | number | boolean>>) => Promise<void>
  /** Throws what a task has failed with. */
  check: (name: string) => Promise<void>
  /** The end of its log. */
  said: () => string
  stop: () => Promise<void>
}

/** Of Kafka, Iceberg and Apicurio. */
const VERSIONS = '4.2.0-1.11.0-2.5.8'
/** As its own start script has them, but for the collector: G1 is its default there too. */
const JVM = ['-Xms256m', '-Xmx2g', '-XX:+UseG1GC', '-XX:-UsePerfData']
const START_MS = 90_000
const LIBRARY = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'k2/kafka-connect-sink', VERSIONS)

export async function startConnect({ bootstrap, folder }: { bootstrap: string; folder: string }): Promise<Connect> {
  install()
  const port = await freePort()
  const base = `http://127.0.0.1:${port}`
  const file = join(folder, 'worker.properties')
  const settings = {
    'bootstrap.servers': bootstrap,
    listeners: base,
    'offset.storage.file.filename': join(folder, 'offsets'),
    'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    // A task without messages sleeps until then, and answers nothing that the sink's coordinator asks; a minute by itself.
    'offset.flush.interval.ms': 1_000,
    'connector.client.config.override.policy': 'All',
    'plugin.discovery': 'only_scan',
  }
  writeFileSync(file, Object.entries(settings).map(([name, value]) => `${name}=${value}\n`).join('')) // prettier-ignore
  const words = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-cp', `${LIBRARY}/lib/*`]
  const child = spawn('java', [...JVM, ...words, 'org.apache.kafka.connect.cli.ConnectStandalone', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-100_000)))
  const ended = new Promise<void>(resolve => child.once('close', () => resolve()))
  const die = () => child.kill('SIGKILL')
  process.once('exit', die)
  const deadline = Date.now() + START_MS
  while (
    !(await fetch(base).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    // prettier-ignore
    if (child.exitCode !== null || Date.now() > deadline) {
      die()
      throw new Error(`Kafka Connect did not start:\n${said}`)
    }
    await sleep(100)
  }
  return {
    pid: child.pid!,
    said: () => said,
    async create(name, config) {
      const texts = Object.fromEntries(Object.entries(config).map(([key, value]) => [key, String(value)]))
      const answer = await fetch(`${base}/connectors`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name, config: texts }),
      })
      if (!answer.ok) throw new Error(`The connector was refused: ${await answer.text()}`)
    },
    async check(name) {
      const answer = await fetch(`${base}/connectors/${name}/status`)
      if (!answer.ok) return
      const { tasks } = (await answer.json()) as { tasks: { state: string; trace?: string }[] }
      const failed = tasks.find(({ state }) => state === 'FAILED')
      if (failed) throw new Error(`The sink has failed: ${failed.trace}`)
    },
    async stop() {
      die()
      await ended
      process.off('exit', die)
    },
  }
}

/** Under another name until it is whole, so that an interrupted one is not taken for it. */
function install(): void {
  if (existsSync(LIBRARY)) return
  mkdirSync(dirname(LIBRARY), { recursive: true })
  const partial = mkdtempSync(`${LIBRARY}-`)
  copyFileSync(join(import.meta.dirname, 'pom.xml'), join(partial, 'pom.xml'))
  const words = ['--quiet', '--batch-mode', 'dependency:copy-dependencies', '-DoutputDirectory=lib']
  try {
    execFileSync('mvn', words, { cwd: partial, stdio: ['ignore', 'inherit', 'inherit'] })
    renameSync(partial, LIBRARY)
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
}
