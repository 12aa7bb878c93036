// A real S3 server on a free loopback port: versitygw over a folder, or moto where Go is not at hand.
// Both are fetched once, into ~/.cache/k2, and stay out of the tree.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './free-ports.ts'

const VERSITYGW = 'v1.8.0'
const MOTO = '5.2.5'
const START_MS = 20_000
const TRIES = 3

export type S3Kind = 'versitygw' | 'moto'

export interface S3Server {
  kind: S3Kind
  endpoint: string
  region: string
  bucket: string
  accessKeyId: string
  secretAccessKey: string
  /** Kills it, as a machine that loses power. */
  kill: () => Promise<void>
  /** On the same port, over the same files; not with moto, which keeps them in memory. */
  restart: () => Promise<void>
  close: () => Promise<void>
}

let found: { kind?: S3Kind; missing?: string } | undefined

/** Looked for once a run, as it may have to be built. K2_TEST_S3=moto asks for that one. */
export function findS3Server(): { kind?: S3Kind; missing?: string } {
  return (found ??= find())
}

function find(): { kind?: S3Kind; missing?: string } {
  const reasons: string[] = []
  for (const [kind, place, install] of [
    ['versitygw', gatewayPath(), buildGateway],
    ['moto', motoFolder(), installMoto],
  ] as const) {
    if (![kind, undefined].includes(process.env.K2_TEST_S3 as S3Kind | undefined)) continue
    try {
      if (!existsSync(place)) install()
      return { kind }
    } catch (error) {
      reasons.push(`${kind}: ${String((error as { stderr?: Buffer }).stderr ?? error).split('\n', 1)[0]}`)
    }
  }
  return { missing: `no S3 server; ${reasons.join('; ')}` }
}

const cache = () => join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'k2')
const gatewayPath = () => join(cache(), `bin/versitygw-${VERSITYGW}`)
const motoFolder = () => join(cache(), `moto/${MOTO}`)

/** Two minutes the first time. Under another name until it is whole. */
function buildGateway(): void {
  const go = ['/usr/local/go/bin/go', '/usr/lib/go/bin/go'].find(existsSync) ?? 'go'
  mkdirSync(dirname(gatewayPath()), { recursive: true })
  const partial = mkdtempSync(`${gatewayPath()}-`)
  try {
    const env = { ...process.env, GOBIN: partial, GOFLAGS: '-mod=mod' }
    const words = ['install', `github.com/versity/versitygw/cmd/versitygw@${VERSITYGW}`]
    execFileSync(go, words, { env, cwd: partial, stdio: ['ignore', 'ignore', 'pipe'] })
    renameSync(join(partial, 'versitygw'), gatewayPath())
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
}

function installMoto(): void {
  mkdirSync(dirname(motoFolder()), { recursive: true })
  const partial = mkdtempSync(`${motoFolder()}-`)
  const words = ['-m', 'pip', 'install', '--quiet', '--target', partial, `moto[server]==${MOTO}`]
  execFileSync('python3', words, { stdio: ['ignore', 'ignore', 'pipe'] })
  renameSync(partial, motoFolder())
}

const KEYS = { accessKeyId: 'k2-test', secretAccessKey: 'k2-test-secret' }
const REGION = 'us-east-1'

/** With an empty bucket. */
export async function openS3Server({ bucket = 'lake' } = {}): Promise<S3Server> {
  const { kind, missing } = findS3Server()
  if (kind === undefined) throw new Error(missing)
  const folder = mkdtempSync(join(tmpdir(), 'k2-s3-'))
  let port = 0
  let child: ChildProcess | undefined

  async function start(): Promise<void> {
    const endpoint = `http://127.0.0.1:${port}`
    child = spawnTied(kind === 'versitygw' ? gatewayCommand(port, folder) : motoCommand(port))
    const ended = new Promise<void>(resolve => child!.once('exit', () => resolve()))
    const deadline = Date.now() + START_MS
    while (Date.now() < deadline && child.exitCode === null) {
      if (await answers(endpoint)) return
      await Promise.race([sleep(20), ended])
    }
    await kill()
    throw new Error(`${kind} did not start on port ${port}.`)
  }

  async function kill(): Promise<void> {
    const dying = child
    child = undefined
    if (dying === undefined || dying.exitCode !== null) return
    const gone = new Promise(resolve => dying.once('exit', resolve))
    dying.stdin!.end()
    await gone
  }

  if (kind === 'versitygw') mkdirSync(join(folder, bucket))
  for (let n = 1; ; n++) {
    port = await freePort()
    try {
      await start()
      break
    } catch (error) {
      if (n === TRIES) throw error // another program may have taken the port meanwhile
    }
  }
  const endpoint = `http://127.0.0.1:${port}`
  if (kind === 'moto') await fetch(`${endpoint}/${bucket}`, { method: 'PUT' })

  async function close(): Promise<void> {
    await kill()
    rmSync(folder, { recursive: true, force: true })
  }
  return { kind, endpoint, region: REGION, bucket, ...KEYS, kill, restart: start, close }
}

interface Command {
  words: string[]
  env: Record<string, string>
}

function gatewayCommand(port: number, folder: string): Command {
  const words = [gatewayPath(), '--port', `127.0.0.1:${port}`, '--region', REGION, '--quiet', '--keep-alive']
  return {
    words: [...words, 'posix', folder],
    env: { ROOT_ACCESS_KEY: KEYS.accessKeyId, ROOT_SECRET_KEY: KEYS.secretAccessKey },
  }
}

function motoCommand(port: number): Command {
  return {
    words: ['python3', '-m', 'moto.server', '-H', '127.0.0.1', '-p', `${port}`],
    env: { PYTHONPATH: motoFolder() },
  }
}

/** A shell stands between and kills the server when its input ends: with this process, however that dies. */
function spawnTied({ words, env }: Command): ChildProcess {
  const script = '"$@" & server=$!; cat >/dev/null; kill -9 $server; wait $server 2>/dev/null'
  return spawn('sh', ['-c', script, 'sh', ...words], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'ignore', 'ignore'],
  })
}

async function answers(endpoint: string): Promise<boolean> {
  return fetch(endpoint).then(
    async response => {
      await response.arrayBuffer()
      return response.status < 500
    },
    () => false,
  )
}
