// `k2 demo --degrade`: what load does and does not do, on a throwaway profile. The live view is made to believe that it is
// far behind, level by level; everything else is as always: the levels, the followers, the writer, the tables.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TailTable } from '../../contract/tables.ts'
import { timeLimit } from '../base/in-time.ts'
import { LOAD_LEVELS, type LoadLevel } from '../base/load-level.ts'
import { serve, type ServeOptions, type Serving } from '../serve.ts'
import { throwawayConfig } from './throwaway-config.ts'

type Print = (line: string) => void
type Demo = NonNullable<ServeOptions['demo']>

interface Follower {
  rows: number
  conflated: number
  missed: number
}

/** Rows left out until now, by tier. */
type Shed = Readonly<Record<string, number>>

/** Messages that count as unread, and the tiers that are conflated at the level which that brings. */
const STEPS: readonly { lag: number; level: LoadLevel; tiers: readonly string[] }[] = [
  { lag: 150_000, level: 'SOFT', tiers: ['3'] },
  { lag: 600_000, level: 'GRACEFUL', tiers: ['2', '3'] },
  { lag: 1_200_000, level: 'AGGRESSIVE', tiers: ['1', '2', '3'] },
  { lag: 6_000_000, level: 'CIRCUIT_BREAK', tiers: ['1', '2', '3'] },
]
/** The simulated market has 58 instruments: 5, 15, and all others. */
const TIERS = '5,20'
const RATE = 4_000
const HOLD_MS = 1_500
const LOOK_MS = 200
const ENTER_WITHIN_MS = 5_000
/** Levels are left after 30 calm seconds. */
const LEAVE_WITHIN_MS = 36_000
const WRITE_WITHIN_MS = 10_000

export async function degradeDemo(demo: Demo, print: Print): Promise<boolean> {
  const profile = await mkdtemp(join(tmpdir(), 'k2-degrade-'))
  const own = { K2_SYMBOL_TIERS: TIERS, K2_CONSUMER_BATCH_SECONDS: '1' }
  // The log on the console would say each change of level a second time.
  const config = throwawayConfig(profile, { K2_LOG_LEVEL: 'error', ...own })
  const startedAt = performance.now()
  const serving = await serve({ config, ui: false })
  const problems: string[] = []
  const say = (line: string) => print(`${((performance.now() - startedAt) / 1000).toFixed(1).padStart(5)} s  ${line}`)
  const check = (isRight: boolean, problem: string) => void (isRight || problems.push(problem))
  try {
    await runSteps(serving, { rate: RATE, ...definedOf(demo) }, say, check)
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error))
  } finally {
    await serving.close(timeLimit(5_000))
    await rm(profile, { recursive: true, force: true })
  }
  for (const problem of problems) say(`FAILED  ${problem}`)
  say(problems.length === 0 ? 'Load was shed where it may be, and nothing was lost.' : 'Not well.')
  return problems.length === 0
}

async function runSteps(
  serving: Serving,
  demo: Demo,
  say: Print,
  check: (isRight: boolean, problem: string) => void,
): Promise<void> {
  const { client } = serving
  const stopping = new AbortController()
  const follower: Follower = { rows: 0, conflated: 0, missed: 0 }
  const tables: readonly TailTable[] = ['trades', 'quotes']
  const following = tables.map(table => follow(serving, table, follower, stopping.signal))
  try {
    await client['demo.start'](demo)
    const calm = await watch(serving, follower)
    say(`NORMAL at ${demo.rate} messages a second: the follower gets every row (${calm.rows} of ${calm.rows})`)
    check(calm.rows > 0 && calm.conflated === 0, 'Rows were left out without any load.')

    for (const { lag, level, tiers } of STEPS) {
      await serving.simulateLag(lag)
      say(`the live view is told that it is ${lag.toLocaleString('en')} messages behind …`)
      await levelIs(serving, level, ENTER_WITHIN_MS)
      const { rows, conflated, shed } = await watch(serving, follower)
      const byTier = Object.entries(shed).map(([tier, count]) => `tier ${tier}: ${count}`)
      say(`${level}: the follower got ${rows} of ${rows + conflated} rows; left out ${byTier.join(', ') || 'none'}`)
      check(Object.keys(shed).join() === tiers.join(), `At ${level} tiers ${tiers.join(', ')} were to be conflated.`)
    }

    await serving.simulateLag(0)
    say('the live view has caught up; after 30 s without load the level is left …')
    await levelIs(serving, 'NORMAL', LEAVE_WITHIN_MS)
    const after = await watch(serving, follower)
    say(`NORMAL: the follower gets every row again (${after.rows} of ${after.rows + after.conflated})`)
    check(after.conflated === 0, 'Rows were left out after the load was gone.')
    await checkNothingLost(serving, follower, say, check)
  } finally {
    stopping.abort()
    await Promise.all(following)
  }
}

async function checkNothingLost(
  { client }: Serving,
  follower: Follower,
  say: Print,
  check: (isRight: boolean, problem: string) => void,
): Promise<void> {
  await client['demo.stop']({})
  const { messages } = await client['demo.status']({})
  const written = async () => (await client['ingest.status']({})).rows
  await until(WRITE_WITHIN_MS, async () => (await written()) >= messages)
  const { tables, problems } = await client['lake.verify']({})
  const rows = tables
    .filter(({ table }) => table === 'trades' || table === 'quotes')
    .reduce((sum, table) => sum + table.rows, 0)
  say(`${messages} messages were produced, and the tables have ${rows} rows${problems.length > 0 ? ', unsound' : ''}`)
  check(rows === messages, `The tables have ${rows} rows of ${messages} messages.`)
  check(problems.length === 0, `The tables are not sound: ${problems[0]?.problem}`)

  const { tail } = await client['stats.get']({})
  const held = tail.trades.total_messages + tail.quotes.total_messages
  check(held === messages, `The live view took in ${held} of ${messages} messages.`)
  const told = follower.rows + follower.conflated
  say(`the follower was given ${follower.rows} rows and told of ${follower.conflated} left out, ${told} in all`)
  check(told === messages && follower.missed === 0, `The follower knows of ${told} of ${messages} messages.`)
}

async function follow({ client }: Serving, table: TailTable, follower: Follower, signal: AbortSignal): Promise<void> {
  try {
    for await (const batch of client['tail.follow']({ data_type: table }, { signal })) {
      follower.rows += batch.rows.rowCount
      follower.conflated += batch.conflated ?? 0
      follower.missed += batch.missed
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

/** What the follower got and what was left out, by tier, in the next moments. */
async function watch(serving: Serving, follower: Follower) {
  const from = { ...follower, shed: (await readLoad(serving)).shed }
  await sleep(HOLD_MS)
  const { shed } = await readLoad(serving)
  const since = Object.entries(shed)
    .map(([tier, rows]) => [tier, rows - (from.shed[tier] ?? 0)] as const)
    .filter(([, rows]) => rows > 0)
  return {
    rows: follower.rows - from.rows,
    conflated: follower.conflated - from.conflated,
    shed: Object.fromEntries(since),
  }
}

async function levelIs(serving: Serving, level: LoadLevel, withinMs: number): Promise<void> {
  let seen: LoadLevel | undefined
  const isThere = await until(withinMs, async () => (seen = (await readLoad(serving)).level) === level)
  if (!isThere) throw new Error(`The level is ${seen} and not ${level} after ${withinMs / 1000} s.`)
}

/** As whoever watches K2 sees it. */
async function readLoad({ url }: Serving): Promise<{ level: LoadLevel; shed: Shed }> {
  const lines = (await (await fetch(`${url}/metrics`)).text()).split('\n')
  const valueOf = (line: string) => Number(line.slice(line.lastIndexOf(' ')))
  const levels = lines.filter(line => line.startsWith('k2_degradation_level{')).map(valueOf)
  const shed = lines
    .filter(line => line.startsWith('k2_messages_shed_total{'))
    .map(line => [/symbol_tier="(\d+)"/.exec(line)![1], valueOf(line)] as const)
    .sort(([a], [b]) => Number(a) - Number(b))
  return { level: LOAD_LEVELS[Math.max(0, ...levels)], shed: Object.fromEntries(shed) }
}

async function until(withinMs: number, isDone: () => Promise<boolean>): Promise<boolean> {
  const deadline = performance.now() + withinMs
  while (!(await isDone())) {
    if (performance.now() > deadline) return false
    await sleep(LOOK_MS)
  }
  return true
}

/** Those that were given, so that the others keep what they are here. */
function definedOf(demo: Demo): Demo {
  return Object.fromEntries(Object.entries(demo).filter(([, value]) => value !== undefined))
}
