// Whether the tables say of a stream what went into the log: each row once, each letter once, each gap, and nothing else.
// PyIceberg counts, and the lake's own check looks at every file.
import { openLake } from '../../src/main/lake/lake.ts'
import { verifyTable } from '../../src/main/lake/verify/verify-table.ts'
import { lakeOptions } from '../../src/main/lake-options.ts'
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

async function judgeTopic(
  place: StreamPlace,
  { topic, table }: FeedTopic,
  verdict: Verdict,
  { gaps: hasGaps = true, lives = 1, removed = new Set() }: JudgeOptions,
): Promise<void> {
  const { feed } = place
  const total = feed.tried()
  const { spread } = feed
  const complain = (what: string) => void verdict.complaints.push(`${topic}: ${what}`)
  const ask = <T>(question: string, args: object = {}) =>
    place.servers.judge.ask<T>(question, { catalog: place.catalog, topic, ...args })

  const found = await ask<FoundRows>('stream_rows', {
    table: `market_data.${table}`,
    ...(table === 'trades'
      ? { number: 'trade_id', amount: 'quantity' }
      : { number: 'quote_id', amount: 'bid_quantity' }),
  })
  const isDoubtful = (number: number) =>
    removed.has(number) || feed.doubtful(topic).some(([from, to]) => number >= from && number < to)
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
  verdict.produced += total
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

  const letters = await ask<{ rows: number; places: number; texts: string[] }>('stream_letters')
  const counted = new Map<string, number>()
  for (const text of letters.texts) counted.set(text, (counted.get(text) ?? 0) + 1)
  const wanted = numbersOf(total, number => slotOf(number, spread) === 'letter')
  const missing = wanted.filter(number => !isDoubtful(number) && !counted.has(letterText(number)))
  const known = new Set(wanted.map(letterText))
  const foreign = [...counted.keys()].filter(text => !known.has(text))
  const twice = letters.rows - counted.size
  verdict.lost += missing.length
  verdict.doubled += twice
  if (missing.length > 0) complain(`${missing.length} dead letters are lost`)
  if (twice > 0 || (lives === 1 && letters.places !== letters.rows)) complain(`${twice} dead letters are there twice`)
  if (foreign.length > 0) complain(`${foreign.length} dead letters are none, such as ${foreign[0]}`)

  if (!hasGaps || feed.doubtful(topic).length > 0) return
  const gaps = await ask<{ rows: number; places: number; gaps: string[] }>('stream_gaps')
  const expected = numbersOf(total, number => {
    return slotOf(number, spread) !== 'row' && number >= SYMBOLS && number + SYMBOLS < total
  }).map(number => `S${number % SYMBOLS} ${Math.floor(number / SYMBOLS)} ${Math.floor(number / SYMBOLS) + 1}`)
  if (gaps.gaps.join('\n') !== expected.sort().join('\n'))
    complain(`${gaps.rows} gaps at ${gaps.places} places, not the ${expected.length} there are`)
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
