// Iceberg's own REST catalog server (Java, out of Maven, kept outside of the tree), for one test or for many.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'

const VERSION = '1.11.0'
/** A small server: no parallel collector; and no second compiler where it lives for seconds only. */
const JVM = ['-Xms64m', '-Xmx512m', '-XX:+UseSerialGC', '-XX:-UsePerfData', '-Xshare:auto']
const FAST_COMPILER_ONLY = '-XX:TieredStopAtLevel=1'
const START_TIMEOUT_MS = 60_000

export interface IcebergRestOptions {
  /** A folder's path or `s3://bucket/prefix`. */
  warehouse: string
  s3?: { endpoint: string; accessKey: string; secretKey: string; region: string }
  /** Further settings of the catalog, by Iceberg's names. */
  settings?: Readonly<Record<string, string>>
  /** It is measured, as a server that has been up for days. */
  isLongLived?: boolean
}

export interface IcebergRest {
  url: string
  stop(): Promise<void>
}

let found: { missing?: string } | undefined

/** Looked for once a run, as it may have to be fetched. */
export function findIcebergRest(): { missing?: string } {
  return (found ??= find())
}

function find(): { missing?: string } {
  for (const tool of ['java', 'javac']) {
    if (spawnSync(tool, ['-version'], { stdio: 'ignore' }).status !== 0)
      return { missing: `no ${tool}; apt install default-jdk-headless has it` }
  }
  try {
    if (!existsSync(folder())) install()
    return {}
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: Buffer; stderr?: Buffer }
    const [line] = (stdout?.toString() || stderr?.toString() || String(error)).split('\n')
    return { missing: `no Iceberg REST server ${VERSION}: Maven (apt install maven) could not bring it: ${line}` }
  }
}

function folder(): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), `k2/iceberg-rest/${VERSION}`)
}

/** Under another name until it is whole, so that an interrupted one is not taken for it. */
function install(): void {
  mkdirSync(dirname(folder()), { recursive: true })
  const partial = mkdtempSync(`${folder()}-`)
  const stdio = ['ignore', 'pipe', 'pipe'] as ('ignore' | 'pipe')[]
  try {
    copyFileSync(join(import.meta.dirname, 'iceberg-rest.xml'), join(partial, 'pom.xml'))
    const words = ['--quiet', '--batch-mode', 'dependency:copy-dependencies', '-DoutputDirectory=lib']
    execFileSync('mvn', words, { cwd: partial, stdio })
    const launcher = join(import.meta.dirname, 'iceberg-rest.java')
    execFileSync('javac', ['-cp', 'lib/*', '-d', 'classes', launcher], { cwd: partial, stdio })
    renameSync(partial, folder())
  } catch (error) {
    rmSync(partial, { recursive: true, force: true })
    if (!existsSync(folder())) throw error // else another run was faster
  }
}

/** Its tables' rows are in a SQLite file of its own, gone with it. */
export async function startIcebergRest({
  warehouse,
  s3,
  settings,
  isLongLived = false,
}: IcebergRestOptions): Promise<IcebergRest> {
  const { missing } = findIcebergRest()
  if (missing !== undefined) throw new Error(missing)
  const home = mkdtempSync(join(tmpdir(), 'k2-iceberg-rest-'))
  const config: Record<string, string> = {
    uri: `jdbc:sqlite:${join(home, 'catalog.db')}`,
    warehouse,
    ...(s3 && {
      'io-impl': 'org.apache.iceberg.aws.s3.S3FileIO',
      's3.endpoint': s3.endpoint,
      's3.access-key-id': s3.accessKey,
      's3.secret-access-key': s3.secretKey,
      's3.path-style-access': 'true',
      'client.region': s3.region,
    }),
    ...settings,
  }
  const env = { ...process.env, AWS_REGION: s3?.region ?? 'us-east-1', ...asEnvironment(config) }
  const jvm = isLongLived ? JVM : [...JVM, FAST_COMPILER_ONLY]
  const words = [...jvm, '-cp', `${folder()}/classes:${folder()}/lib/*`, 'org.apache.iceberg.rest.LoopbackServer']
  const child = spawn('java', ['-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', ...words], { env })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-10_000)))
  const ended = new Promise<void>(resolve =>
    child.once('close', () => {
      rmSync(home, { recursive: true, force: true })
      resolve()
    }),
  )
  const stop = () => {
    child.kill('SIGKILL')
    return ended
  }
  const port = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`No Iceberg REST server in time.\n${said}`)), START_TIMEOUT_MS)
    createInterface(child.stdout).on('line', line => {
      if (!line.startsWith('ready ')) return
      clearTimeout(timer)
      resolve(line.slice('ready '.length))
    })
    child.once('error', reject)
    void ended.then(() => reject(new Error(`The Iceberg REST server ended at once.\n${said}`)))
  }).catch(async (error: unknown) => {
    await stop()
    throw error
  })
  return { url: `http://127.0.0.1:${port}`, stop }
}

/** As its image takes them: `s3.access-key-id` is CATALOG_S3_ACCESS__KEY__ID. */
function asEnvironment(config: Readonly<Record<string, string>>): Record<string, string> {
  const nameOf = (key: string) => `CATALOG_${key.replaceAll('-', '__').replaceAll('.', '_').toUpperCase()}`
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [nameOf(key), value]))
}
