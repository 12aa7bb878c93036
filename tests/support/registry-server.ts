// A real Schema Registry on a free loopback port: Apicurio out of Maven, which speaks Confluent's API.
// Fetched once into ~/.cache/k2, outside of the tree.
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './free-ports.ts'

/** Newer ones need Java 21. */
const VERSION = '3.0.9'
const ARTIFACT = `io.apicurio:apicurio-registry-app:${VERSION}:tar.gz:all`
/** A small server that lives for seconds: no second compiler, no parallel collector. */
const JVM = ['-Xms64m', '-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:-UsePerfData', '-Xshare:auto']
const START_MS = 60_000
const TRIES = 3

export interface RegistryServer {
  /** The base of Confluent's API, to be given as K2_SCHEMA_REGISTRY_URL. */
  url: string
  /** Kills it, as a machine that loses power. */
  kill: () => Promise<void>
  /** On the same port, with the schemas and ids it had. */
  restart: () => Promise<void>
  /** Holds it still: it accepts connections and never answers; and lets it go on. */
  pause: () => void
  resume: () => void
  stop: () => Promise<void>
}

let found: { missing?: string } | undefined

/** Looked for once a run, as it may have to be fetched. */
export function findRegistry(): { missing?: string } {
  return (found ??= find())
}

function find(): { missing?: string } {
  if (spawnSync('java', ['-version'], { stdio: 'ignore' }).status !== 0)
    return { missing: 'no java; apt install default-jdk-headless has it' }
  try {
    if (!existsSync(folder())) install()
    return {}
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: Buffer; stderr?: Buffer }
    const [line] = (stdout?.toString() || stderr?.toString() || String(error)).split('\n')
    return { missing: `no Schema Registry ${VERSION}: Maven (apt install maven) could not bring it: ${line}` }
  }
}

function folder(): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), `k2/registry/${VERSION}`)
}

/** Under another name until it is whole, so that an interrupted one is not taken for it. */
function install(): void {
  mkdirSync(dirname(folder()), { recursive: true })
  const partial = mkdtempSync(`${folder()}-`)
  const stdio = ['ignore', 'pipe', 'pipe'] as ('ignore' | 'pipe')[]
  try {
    const words = ['dependency:copy', `-Dartifact=${ARTIFACT}`, '-DoutputDirectory=.', '-Dmdep.stripVersion=true']
    execFileSync('mvn', ['--quiet', '--batch-mode', ...words], { cwd: partial, stdio })
    execFileSync('tar', ['xzf', 'apicurio-registry-app-all.tar.gz'], { cwd: partial, stdio })
    rmSync(join(partial, 'apicurio-registry-app-all.tar.gz'))
    renameSync(partial, folder())
  } catch (error) {
    rmSync(partial, { recursive: true, force: true })
    if (!existsSync(folder())) throw error // else another run was faster
  }
}

/** Empty. Its schemas are in a folder of its own, gone with it. */
export async function startRegistry(): Promise<RegistryServer> {
  const { missing } = findRegistry()
  if (missing !== undefined) throw new Error(missing)
  const home = mkdtempSync(join(tmpdir(), 'k2-registry-'))
  let port = 0
  let child: ChildProcess | undefined
  let pid = 0

  async function start(): Promise<void> {
    const starting = spawnTied(await settingsOf(port, home), join(home, 'log'))
    child = starting
    const ended = new Promise<void>(resolve => starting.once('exit', () => resolve()))
    pid = await new Promise<number>(resolve => starting.stdout!.once('data', data => resolve(Number(String(data)))))
    const deadline = Date.now() + START_MS
    while (Date.now() < deadline && starting.exitCode === null) {
      if (await answers(`http://127.0.0.1:${port}/apis/ccompat/v7/subjects`)) return
      await Promise.race([sleep(50), ended])
    }
    await kill()
    throw new Error(`No Schema Registry in time.\n${readFileSync(join(home, 'log'), 'utf8').slice(-10_000)}`)
  }

  async function kill(): Promise<void> {
    const dying = child
    child = undefined
    if (dying === undefined || dying.exitCode !== null) return
    const gone = new Promise(resolve => dying.once('exit', resolve))
    dying.stdin!.end()
    await gone
  }

  for (let n = 1; ; n++) {
    port = await freePort()
    try {
      await start()
      break
    } catch (error) {
      if (n === TRIES) throw error // another program may have taken the port meanwhile
    }
  }
  return {
    url: `http://127.0.0.1:${port}/apis/ccompat/v7`,
    kill,
    restart: start,
    pause: () => void process.kill(pid, 'SIGSTOP'),
    resume: () => void process.kill(pid, 'SIGCONT'),
    async stop() {
      await kill()
      rmSync(home, { recursive: true, force: true })
    },
  }
}

async function settingsOf(port: number, home: string): Promise<Record<string, string | number>> {
  return {
    'quarkus.http.host': '127.0.0.1',
    'quarkus.http.port': port,
    'quarkus.management.host': '127.0.0.1',
    'quarkus.management.port': await freePort(),
    'java.util.logging.manager': 'org.jboss.logmanager.LogManager',
    'apicurio.datasource.url': `jdbc:h2:file:${join(home, 'schemas')};WRITE_DELAY=0`,
  }
}

/** A shell stands between and kills the server when its input ends: with this process, however that dies. */
function spawnTied(settings: Readonly<Record<string, string | number>>, logFile: string): ChildProcess {
  const script =
    'log=$1; shift; "$@" >"$log" 2>&1 & server=$!; echo $server; cat >/dev/null; kill -9 $server; wait $server 2>/dev/null'
  const flags = Object.entries(settings).map(([name, value]) => `-D${name}=${value}`)
  const jar = join(folder(), `apicurio-registry-app-${VERSION}-runner.jar`)
  const words = ['java', ...JVM, ...flags, '-jar', jar]
  return spawn('sh', ['-c', script, 'sh', logFile, ...words], { stdio: ['pipe', 'pipe', 'ignore'] })
}

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    async response => {
      await response.arrayBuffer()
      return response.ok
    },
    () => false,
  )
}
