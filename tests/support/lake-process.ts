// A process of its own that works on a lake in a folder, and can be killed at any named step of a write.
import { spawn } from 'node:child_process'
import * as nodeDisk from 'node:fs/promises'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import { openDuck } from '../../src/main/duck/open-duck.ts'
import type { Catalog } from '../../src/main/lake/catalog/catalog.ts'
import { openSqlCatalog } from '../../src/main/lake/catalog/sql.ts'
import { localFiles, type Disk } from '../../src/main/lake/io/local.ts'
import { canonicalLocation } from '../../src/main/lake/io/location.ts'
import type { Lake } from '../../src/main/lake/lake.ts'
import { CATALOG_NAME } from '../../src/main/lake/storage.ts'
import { compactTable } from '../../src/main/lake/maintain/compact-table.ts'
import { expireSnapshots } from '../../src/main/lake/maintain/expire-snapshots.ts'
import { composeLake } from './compose-lake.ts'
import { append, tradesBatch } from './lake.ts'

/** In the order of a commit. `drafted`: whole, under a name nothing looks for; `synced`: durable; `linked`: in its place. */
export const STEPS = [
  'data drafted',
  'data synced',
  'data linked',
  'manifest drafted',
  'manifest linked',
  'list drafted',
  'list linked',
  'metadata drafted',
  'metadata linked',
  'swapping',
  'swapped',
  'removing',
] as const
export type Step = (typeof STEPS)[number]

export interface LakeWork {
  folder: string
  work: 'append' | 'compact' | 'expire'
  /** Trades of the first commit; each later one goes on after it. */
  from: number
  rowsPerCommit: number
  commits: number
  killAt?: Step
  /** For `swapping`: how long after the metadata is in its place. */
  afterMs?: number
  /** After each commit. */
  pauseMs?: number
}

export interface LakeProcess {
  /** Ids of the commits that it was told have landed. */
  landed: string[]
  kill: () => void
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; complaint: string }>
}

export function startLakeProcess(work: LakeWork): LakeProcess {
  const words = ['--import', 'tsx', import.meta.filename, JSON.stringify(work)]
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'] })
  const landed: string[] = []
  createInterface(child.stdout).on('line', line => landed.push(line))
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text))
  const ended = new Promise<Awaited<LakeProcess['ended']>>(resolve =>
    child.once('close', (code, signal) => resolve({ code, signal, complaint })),
  )
  return { landed, kill: () => child.kill('SIGKILL'), ended }
}

const die = () => process.kill(process.pid, 'SIGKILL')

/** Which kind of file a path is, or will be, as a draft lies beside its place. */
function kindOf(path: string): 'data' | 'manifest' | 'list' | 'metadata' | undefined {
  const name = basename(path)
  if (name.endsWith('.parquet')) return 'data'
  if (name.endsWith('.metadata.json')) return 'metadata'
  if (name.startsWith('snap-')) return 'list'
  return name.endsWith('.avro') ? 'manifest' : undefined
}

function deadlyDisk({ killAt, afterMs = 0 }: LakeWork): Disk {
  const reach = (step: Step) => void (step === killAt && die())
  return {
    ...nodeDisk,
    async open(path, ...rest) {
      const handle = await nodeDisk.open(path, ...rest)
      if (!String(path).includes(`${join('/data', '/')}`)) return handle
      const sync = handle.sync.bind(handle)
      handle.sync = async () => {
        if (String(path).includes('.draft-')) reach('data drafted')
        await sync()
        if (String(path).includes('.draft-')) reach('data synced')
      }
      return handle
    },
    async link(from, to) {
      const kind = kindOf(String(to))
      if (kind && kind !== 'data') reach(`${kind} drafted`)
      await nodeDisk.link(from, to)
      if (kind) reach(`${kind} linked`)
      if (kind === 'metadata' && killAt === 'swapping') {
        spawn('sh', ['-c', `sleep ${afterMs / 1000}; kill -9 ${process.pid}`])
        await new Promise(resolve => setTimeout(resolve, 5)) // until the shell is there
      }
    },
    async unlink(path) {
      if (kindOf(String(path))) reach('removing')
      await nodeDisk.unlink(path)
    },
  }
}

async function work(given: LakeWork): Promise<void> {
  const { folder, work, from, rowsPerCommit, commits, killAt, pauseMs = 0 } = given
  const io = localFiles(deadlyDisk(given))
  const warehouse = canonicalLocation(join(folder, 'warehouse'))
  const sql = openSqlCatalog({ file: join(folder, 'warehouse', 'catalog.db'), name: CATALOG_NAME, io, warehouse })
  const catalog: Catalog = {
    ...sql,
    async commit(...asked) {
      const outcome = await sql.commit(...asked)
      if (killAt === 'swapped' && outcome.state === 'committed') die()
      return outcome
    },
  }
  const duck = await openDuck({ threads: 1, memoryMb: 128 })
  const lake = composeLake({ io, duck, catalog, warehouse })
  for (let i = 0; i < commits; i++) {
    for (const id of await commitOnce(lake, work, from + i * rowsPerCommit, rowsPerCommit)) console.log(id)
    await new Promise(resolve => setTimeout(resolve, pauseMs))
  }
  await duck.close()
  await sql.close()
}

async function commitOnce(lake: Lake, work: LakeWork['work'], from: number, count: number): Promise<string[]> {
  const table = lake.table('trades')
  if (work === 'append')
    return [(await append(lake, tradesBatch(from, count, { symbols: 2 }), { specId: 0 })).snapshotId]
  if (work === 'expire') {
    await expireSnapshots(table, { retention: { keep: [{ everyMs: 1e15, forMs: 1e15 }], most: 2_000 } })
    return []
  }
  const { snapshot_id: id } = await compactTable(lake, table, { minFiles: 2 })
  return id === null ? [] : [id]
}

if (process.argv[1] === import.meta.filename) await work(JSON.parse(process.argv[2]) as LakeWork)
