// Whether the tables say of a stream what went into the log: each row once, each letter once, each gap, and nothing else.
// PyIceberg counts, and the lake's own check looks at every file.
import { openLake } from '../../src/main/lake/lake.ts'
import { verifyTable } from '../../src/main/lake/verify/verify-table.ts'
import { lakeOptions } from '../../src/main/processes/lake-options.ts'
import { letterText, slotOf, SYMBOLS, type FeedTopic } from './stream-feed.ts'
import type { StreamPlace } from './stream-place.ts'

export interface Verdict {
  produced: number
  rows: number
  /** Rows and letters that were acknowledged and are not there. */
  lost: number
  /** Rows and letters that are there more than once. */
  doubled: number
  complaints: string[]
}

interface FoundRows {
  rows: number
  places: number
  ids: number
  ranges: [from: number, to: number][]
  doubled: number[]
  amount: string
}

export interface JudgeOptions {
  /** Left out where messages are taken away, as that makes gaps. */
  gaps?: boolean
  /** How often a topic was made: each life has the same places. */
  lives?: number
  /** Numbers that were taken out of the log before anybody had read them. */
  removed?: ReadonlySet<number>
}

export async function judgeStream(place: StreamPlace, options: JudgeOptions = {}): Promise<Verdict> {
  const verdict: Verdict = { produced: 0, rows: 0, lost: 0, doubled: 0, complaints: [] }
  for (const own of place.feed.topics) await judgeTopic(place, own, verdict, options)
  verdict.complaints.push(...(await verifyTables(place)))
  return verdict
}

/** What the parts of one topic's judgement share. */
interface Case {
  total: number
  spread: number
  table: FeedTopic['table']
  hasGaps: boolean
  lives: number
  /** Nobody knows whether it should be there. */
  isDoubtful: (number: number) => boolean
  ask: <T>(question: string, args?: object) => Promise<T>
  complain: (what: string) => void
}

async function judgeTopic(
  place: StreamPlace,
  { topic, table }: FeedTopic,
  verdict: Verdict,
  { gaps = true, lives = 1, removed = new Set() }: JudgeOptions,
): Promise<void> {
  const { feed, catalog, servers } = place
  const doubtful = feed.doubtful(topic)
  const own: Case = {
    total: feed.tried(),
    spread: feed.spread,
    table,
    hasGaps: gaps && doubtful.length === 0,
    lives,
    isDoubtful: number => removed.has(number) || doubtful.some(([from, to]) => number >= from && number < to),
    ask: (question, args) => servers.judge.ask(question, { catalog, topic, ...args }),
    complain: what => void verdict.complaints.push(`${topic}: ${what}`),
  }
  verdict.produced += own.total
  await judgeRows(own, verdict)
  await judgeLetters(own, verdict)
  if (own.hasGaps) await judgeGaps(own)
}

async function judgeRows({ total, spread, table, lives, ...own }: Case, verdict: Verdict): Promise<void> {
  const { isDoubtful, ask, complain } = own
  const names =
    table === 'trades' ? { number: 'trade_id', amount: 'quantity' } : { number: 'quote_id', amount: 'bid_quantity' }
  const found = await ask<FoundRows>('stream_rows', { table: `market_data.${table}`, ...names })
  const isThere = lookup(found.ranges)
  let lost = 0
  let unexpected = 0
  let sum = 0n
  for (let number = 0; number < total; number++) {
    const isRow = slotOf(number, spread) === 'row'
    if (isThere(number)) {
      sum += BigInt(number)
      if (!isRow) unexpected++
    } else if (isRow && !isDoubtful(number)) lost++
  }
  unexpected += found.ranges.reduce((beyond, [from, to]) => beyond + Math.max(0, to - Math.max(from, total)), 0)
  verdict.rows += found.rows
  verdict.lost += lost
  verdict.doubled += found.doubled.length
  if (lost > 0) complain(`${lost} rows are lost`)
  if (found.doubled.length > 0) complain(`rows are there twice: ${found.doubled.slice(0, 10).join(', ')}`)
  if (unexpected > 0) complain(`${unexpected} rows are there that nobody wrote`)
  if (lives === 1 && found.places !== found.rows)
    complain(`${found.rows} rows come from ${found.places} places of the log`)
  if (found.ids !== found.rows) complain(`${found.rows} rows have ${found.ids} message ids`)
  if (found.doubled.length === 0 && BigInt(found.amount) !== sum)
    complain(`amounts add up to ${found.amount}, not ${sum}`)
}

async function judgeLetters(own: Case, verdict: Verdict): Promise<void> {
  const { total, spread, lives, isDoubtful, ask, complain } = own
  const { rows, places, texts } = await ask<{ rows: number; places: number; texts: string[] }>('stream_letters')
  const found = new Set(texts)
  const wanted = numbersOf(total, number => slotOf(number, spread) === 'letter')
  const known = new Set(wanted.map(letterText))
  const missing = wanted.filter(number => !isDoubtful(number) && !found.has(letterText(number)))
  const foreign = [...found].filter(text => !known.has(text))
  const twice = rows - found.size
  verdict.lost += missing.length
  verdict.doubled += twice
  if (missing.length > 0) complain(`${missing.length} dead letters are lost`)
  if (twice > 0 || (lives === 1 && places !== rows)) complain(`${twice} dead letters are there twice`)
  if (foreign.length > 0) complain(`${foreign.length} dead letters are none, such as ${foreign[0]}`)
}

/** Where a letter or a repeat stands, the sequence of its symbol lacks one. */
async function judgeGaps({ total, spread, ask, complain }: Case): Promise<void> {
  const { rows, places, gaps } = await ask<{ rows: number; places: number; gaps: string[] }>('stream_gaps')
  const expected = numbersOf(
    total,
    number => slotOf(number, spread) !== 'row' && number >= SYMBOLS && number + SYMBOLS < total,
  ).map(number => `S${number % SYMBOLS} ${Math.floor(number / SYMBOLS)} ${Math.floor(number / SYMBOLS) + 1}`)
  if (gaps.join('\n') !== expected.sort().join('\n'))
    complain(`${rows} gaps at ${places} places, not the ${expected.length} there are`)
}

function numbersOf(total: number, isOne: (number: number) => boolean): number[] {
  const found: number[] = []
  for (let number = 0; number < total; number++) if (isOne(number)) found.push(number)
  return found
}

/** Asked in ascending order. */
function lookup(ranges: readonly [number, number][]): (number: number) => boolean {
  let at = 0
  return number => {
    while (at < ranges.length && ranges[at][1] <= number) at++
    return at < ranges.length && ranges[at][0] <= number
  }
}

/** What `k2 lake verify` finds. */
async function verifyTables({ config, feed }: StreamPlace): Promise<string[]> {
  const lake = await openLake({ ...lakeOptions(config), threads: 2 })
  try {
    const ids = [...new Set([...feed.topics.map(({ table }) => table), 'dead_letters', 'sequence_gaps'] as const)]
    const complaints: string[] = []
    for (const id of ids) {
      const { problems } = await verifyTable(lake, lake.table(id), { quick: false })
      complaints.push(...problems.map(({ file, problem }) => `${id}: ${file}: ${problem}`))
    }
    return complaints
  } finally {
    await lake.close()
  }
}
