// Damages one file of a table at a time, byte by byte or by cutting it, and tells what a reader and a check made of it.
import { Failure } from '../../src/contract/failure.ts'
import { openDuck, type Duck } from '../../src/main/duck/open-duck.ts'
import type { Lake } from '../../src/main/lake/lake.ts'
import { compactTable } from '../../src/main/lake/maintain/compact-table.ts'
import { verifyTable } from '../../src/main/lake/verify/verify-table.ts'
import { composeLake, emptyState, type LakeState } from './compose-lake.ts'
import { append, readRows, tradesBatch } from './lake.ts'

export type FileKind = 'parquet' | 'manifest' | 'list' | 'metadata'

export interface Damage {
  location: string
  kind: FileKind
  /** Where, and what is done there: `flip 3` inverts a bit, `set 255` a byte, `cut` ends the file there. */
  at: number
  how: string
  apply: (bytes: Uint8Array) => Uint8Array
}

/**
 * `told`: a Failure that names the file. `misled`: one that names what the damaged file led to, as a path in it that
 * is none. `same`: the rows are right. `wrong`: other rows, and nobody said so. `accused`: a Failure that names an
 * intact file.
 */
export type Reading = 'told' | 'misled' | 'same' | 'wrong' | `accused: ${string}` | `bug: ${string}` | 'hang'

export interface Judged {
  damage: Damage
  read: Reading
  filtered: Reading
  /** What the check says; `sound` when it found nothing. */
  verified: 'sound' | Reading
}

const LONGEST_MS = 20_000
const FILTER = [{ column: 'symbol', op: '=', value: 'SYM1' }] as const

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Files of both specs, written by commits and by a compaction. */
export async function tableToDamage(duck: Duck): Promise<LakeState> {
  const state = emptyState()
  const lake = composeLake({ io: state.files, rows: state.rows, duck })
  await lake.init()
  const add = (from: number) => append(lake, tradesBatch(from, 100, { symbols: 3, perDay: 300 }), { specId: 0 })
  await add(0)
  await add(100)
  await compactTable(lake, lake.table('trades'), { minFiles: 2 })
  await add(200)
  return state
}

/** The files that reading the head needs, of each kind as often as the others. */
export async function damagesOf(lake: Lake, state: LakeState, count: number, seed: number): Promise<Damage[]> {
  const table = lake.table('trades')
  const loaded = await table.load()
  const head = loaded.metadata.snapshots.at(-1)!
  const manifests = await table.manifests(head)
  const entries = (await Promise.all(manifests.map(manifest => table.entries(manifest, loaded)))).flat()
  const files: Record<FileKind, string[]> = {
    parquet: entries.filter(({ status }) => status !== 'deleted').map(({ file }) => file.path),
    manifest: manifests.map(({ path }) => path),
    list: [head['manifest-list']],
    metadata: [loaded.metadataLocation],
  }
  const random = randomOf(seed)
  const below = (limit: number) => Math.floor(random() * limit)
  const kinds = Object.keys(files) as FileKind[]
  const damages: Damage[] = []
  for (let i = 0; i < count; i++) {
    const kind = kinds[i % kinds.length]
    const location = files[kind][below(files[kind].length)]
    const { length } = await state.files.read(location)
    damages.push({ location, kind, ...oneDamage(length, below) })
  }
  return damages
}

function oneDamage(length: number, below: (limit: number) => number): Pick<Damage, 'at' | 'how' | 'apply'> {
  const at = below(length)
  const choice = below(10)
  if (choice < 2) return { at, how: 'cut', apply: bytes => bytes.slice(0, at) }
  const bit = below(8)
  const byte = below(256)
  const [how, change] = choice < 7 ? [`flip ${bit}`, (old: number) => old ^ (1 << bit)] : [`set ${byte}`, () => byte]
  return {
    at,
    how,
    apply(bytes) {
      const copy = Uint8Array.from(bytes)
      copy[at] = change(copy[at])
      return copy
    },
  }
}

export interface HealthyDuck {
  get: () => Promise<Duck>
  /** How often damage took the database down: DuckDB gives up on itself when a footer surprises it. */
  lost: () => number
  close: () => void
}

export function healthyDuck(): HealthyDuck {
  let open: Promise<Duck> | undefined
  let lost = 0
  return {
    async get() {
      const duck = await (open ??= openDuck({ threads: 1, memoryMb: 256 }))
      const connection = await duck.connect()
      try {
        await connection.run('SELECT 1')
        return duck
      } catch {
        lost++
        open = openDuck({ threads: 1, memoryMb: 256 })
        return await open
      } finally {
        connection.closeSync()
      }
    },
    lost: () => lost,
    close: () => void open?.then(duck => duck.close()),
  }
}

export interface Rows {
  all: string
  filtered: string
}

export async function rowsIn(lake: Lake): Promise<Rows> {
  return {
    all: JSON.stringify(await readRows(lake)),
    filtered: JSON.stringify(await readRows(lake, { filter: FILTER })),
  }
}

export async function judge(duckOf: HealthyDuck, state: LakeState, damage: Damage, right: Rows): Promise<Judged> {
  const intact = await state.files.read(damage.location)
  state.files.replace(damage.location, damage.apply(intact))
  const fresh = async () => composeLake({ io: state.files, rows: state.rows, duck: await duckOf.get() })
  const reading = (work: () => Promise<Reading>) =>
    soon(work().catch((error: unknown) => meaningOf(error, damage, state)))
  try {
    const read = await reading(async () =>
      JSON.stringify(await readRows(await fresh())) === right.all ? 'same' : 'wrong',
    )
    const filtered = await reading(async () => {
      return JSON.stringify(await readRows(await fresh(), { filter: FILTER })) === right.filtered ? 'same' : 'wrong'
    })
    const verified = await reading(async () => {
      const lake = await fresh()
      const { problems } = await verifyTable(lake, lake.table('trades'), { quick: false })
      if (problems.length === 0) return 'same'
      const said = problems.map(({ file, problem }) => `${file} ${problem}`).join('\n')
      return said.includes(damage.location) ? 'told' : 'misled'
    })
    return { damage, read, filtered, verified: verified === 'same' ? 'sound' : verified }
  } finally {
    state.files.replace(damage.location, intact)
  }
}

function meaningOf(error: unknown, { location }: Damage, state: LakeState): Reading {
  if (!(error instanceof Failure)) return `bug: ${error instanceof Error ? error.stack : String(error)}`
  const said = `${error.message} ${JSON.stringify(error.details ?? {})}`
  if (said.includes(location)) return 'told'
  return state.files.locations().some(other => said.includes(other)) ? `accused: ${error.message}` : 'misled'
}

function soon(reading: Promise<Reading>): Promise<Reading> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Reading>(resolve => (timer = setTimeout(() => resolve('hang'), LONGEST_MS)))
  return Promise.race([reading, late]).finally(() => clearTimeout(timer))
}

/** What may never be; `wrong` may, where no checksum covers what was read. */
export function isWrong(reading: Reading | 'sound'): boolean {
  return reading === 'hang' || /^(bug|accused)/.test(reading)
}
