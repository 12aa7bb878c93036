// Planning over many files and opening any of many snapshots, cold and cached, beside PyIceberg.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { commitChange } from '../src/main/lake/commit/commit-change.ts'
import { headOf } from '../src/main/lake/iceberg/metadata.ts'
import { openLake, type Lake } from '../src/main/lake/lake.ts'
import type { Filter } from '../src/main/lake/read/filter.ts'
import { createManifestCache, type ManifestCache } from '../src/main/lake/read/manifest-cache.ts'
import { planScan } from '../src/main/lake/read/plan-scan.ts'
import { listSnapshots } from '../src/main/lake/travel/list-snapshots.ts'
import { startJudge, type Judge } from '../tests/support/pyiceberg.ts'
import { catalogFor, inTempFolder, localLakeOptions, withLake } from './support/bench-lake.ts'
import { describedFlush, offsetsAfter, onDay, renamed } from './support/described-files.ts'
import { createRandom, DAY_MICROS, symbolName, TAPE_START_MICROS, TAPE_SYMBOLS } from './support/tape.ts'
import { elapsedMsOf, spread, timeRounds, timesOf } from './support/timing.ts'
import type { Figure } from './figure.ts'

/** Of 16 files each: 13,008 in all. */
const DAYS = 813
/** What one manifest holds where compaction has joined them. */
const DAYS_A_COMMIT = 32
const SNAPSHOTS = 1000
/** How often the stand-in for compaction joins the manifests of small commits. */
const COMMITS_A_MERGE = 100
const ROUNDS = 60

export async function run(): Promise<Figure[]> {
  const peer = await startJudge(join(import.meta.dirname, 'peers/peer.py'))
  try {
    return [
      ...(await inTempFolder(folder => withLake(localLakeOptions(folder), lake => overFiles(lake, folder, peer)))),
      ...(await inTempFolder(folder => withLake(localLakeOptions(folder), lake => overSnapshots(lake, folder, peer)))),
    ]
  } finally {
    await peer.close()
  }
}

async function overFiles(lake: Lake, folder: string, peer: Judge): Promise<Figure[]> {
  await appendDays(lake)
  const random = createRandom(7)
  const anyDay = () => symbolDay(random, Math.floor(random() * DAYS))
  const everything: Filter = []
  const plan = (filter: Filter, cache: ManifestCache) => planHead(lake, filter, cache)
  const cold = (filterOf: () => Filter) => timeRounds(ROUNDS, () => plan(filterOf(), createManifestCache()))
  const cached = (filterOf: () => Filter) => timeRounds(ROUNDS, () => plan(filterOf(), lake.cache))

  const files = (await plan(everything, lake.cache)).counts.total
  const firstMs = Number(
    execFileSync(process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'support/plan-once.ts'), folder]),
  )
  const name = `plan over ${files.toLocaleString('en')} files`
  const figure = (what: string, times: Awaited<ReturnType<typeof cold>>, target?: string): Figure => {
    return { name: `${name}, ${what}, p50`, value: times.p50, unit: 'ms', target, detail: spread(times) }
  }
  const asked = { catalog: catalogFor(folder), table: 'market_data.trades' }
  const theirs = timesOf((await eachOf(5, () => peer.ask<{ ms: number }>('plan', asked))).map(({ ms }) => ms))
  return [
    figure('all of them, nothing cached', await cold(() => everything), '≤ 100 ms'),
    { name: `${name}, all, first thing in a new process`, value: firstMs, unit: 'ms' },
    figure("one symbol's day, nothing cached", await cold(anyDay), '≤ 100 ms'),
    figure("one symbol's day, cached", await cached(anyDay), '≤ 2 ms'),
    figure('all of them, cached', await cached(() => everything), '≤ 2 ms'),
    figure('all of them, PyIceberg', theirs),
  ]
}

async function appendDays(lake: Lake): Promise<void> {
  const flush = await describedFlush(lake)
  const table = lake.table('trades')
  const timeId = table.definition.spec.columns.findIndex(({ name }) => name === 'exchange_timestamp') + 1
  for (let day = 0; day < DAYS; day += DAYS_A_COMMIT) {
    const days = Array.from({ length: Math.min(DAYS_A_COMMIT, DAYS - day) }, (_, i) => onDay(flush, timeId, day + i))
    await commitChange(table, { operation: 'append', added: days.flat() })
  }
}

function symbolDay(random: () => number, day: number): Filter {
  const from = BigInt(TAPE_START_MICROS + day * DAY_MICROS)
  return [
    { column: 'symbol', op: '=', value: symbolName(Math.floor(random() * TAPE_SYMBOLS)) },
    { column: 'exchange_timestamp', op: '>=', value: from },
    { column: 'exchange_timestamp', op: '<', value: from + BigInt(DAY_MICROS) },
  ]
}

async function planHead({ io, table }: Lake, filter: Filter, cache: ManifestCache) {
  const { metadata } = await table('trades').known()
  return planScan({ metadata, snapshotId: headOf(metadata)!['snapshot-id'], filter, io, cache })
}

/** Commits of one small file each, as a stream makes them, their manifests joined now and then. */
async function overSnapshots(lake: Lake, folder: string, peer: Judge): Promise<Figure[]> {
  const table = lake.table('trades')
  const file = { ...(await describedFlush(lake))[0], specId: 0 }
  const one = [{ ...file, partition: [file.partition[0]] }]
  for (let n = 1; n <= SNAPSHOTS; n++) {
    const offsets = { from: n === 1 ? [] : offsetsAfter(n - 1), to: offsetsAfter(n) }
    const mergeManifests = n % COMMITS_A_MERGE === 0
    await commitChange(table, { operation: 'append', added: renamed(one), offsets, mergeManifests })
  }
  const { metadata } = await table.load()
  const random = createRandom(11)
  const ids = metadata.snapshots.map(snapshot => snapshot['snapshot-id'])
  const anyId = () => ids[Math.floor(random() * ids.length)]
  const filter = symbolDay(random, 0)
  const { io } = lake
  const open = (cache: ManifestCache) => planScan({ metadata, snapshotId: anyId(), filter, io, cache })
  const name = `of ${SNAPSHOTS.toLocaleString('en')} snapshots`
  const figure = (what: string, times: ReturnType<typeof timesOf>, target?: string): Figure => {
    return { name: `${what}, p50`, value: times.p50, unit: 'ms', target, detail: spread(times) }
  }
  const cached = await timeRounds(3 * ROUNDS, () => open(lake.cache))
  const cold = await timeRounds(ROUNDS, () => open(createManifestCache()))
  const listing = await timeRounds(ROUNDS, () => listSnapshots(metadata, SNAPSHOTS))
  const loading = timesOf(await eachOf(10, () => loadFresh(folder)))
  const asked = () => ({ catalog: catalogFor(folder), table: 'market_data.trades', snapshot_id: anyId() })
  const theirs = await eachOf(10, () => peer.ask<{ ms: number; load_ms: number }>('plan', asked()))
  return [
    figure(`open any ${name}: plan of one symbol's day`, cached, '≤ 5 ms'),
    figure(`open any ${name}, nothing cached`, cold, '≤ 5 ms'),
    figure(`list all ${name}`, listing, '≤ 5 ms'),
    figure(`load the metadata ${name}, nothing cached`, loading),
    figure(`PyIceberg: load the metadata ${name}`, timesOf(theirs.map(({ load_ms }) => load_ms))),
    figure(`PyIceberg: plan any ${name}`, timesOf(theirs.map(({ ms }) => ms))),
  ]
}

async function loadFresh(folder: string): Promise<number> {
  const lake = await openLake(localLakeOptions(folder))
  try {
    return await elapsedMsOf(() => lake.table('trades').load())
  } finally {
    await lake.close()
  }
}

async function eachOf<T>(rounds: number, work: () => Promise<T>): Promise<T[]> {
  const results: T[] = []
  for (let round = 0; round < rounds; round++) results.push(await work())
  return results
}
