// What the timeline asks of the tables, over a real lake.
import { expect, it, onTestFinished } from 'vitest'
import { timelineBars } from '../../../src/renderer/panes/timeline/timeline-bars.ts'
import { countTimes, createDensity } from '../../../src/renderer/stores/density.ts'
import { createPastDensity, type PastDensity } from '../../../src/renderer/stores/past-density.ts'
import { append, START_MICROS, tradesBatch } from '../../support/lake.ts'
import { openTestLink, until } from '../../support/page-link.ts'
import { openSqlLake } from '../../main/query/sql/sql-lake.ts'

const START = START_MICROS / 1e6
const DAY = 86_400

async function openDensity() {
  const { lake, client } = await openSqlLake()
  const { snapshotId } = await append(lake, tradesBatch(0, 1_000))
  await append(lake, tradesBatch(1_000, 1_000))
  let asked = 0
  const { link } = openTestLink({
    answerMs: 20_000,
    checkEveryMs: 5_000,
    answers: {
      'sql.run': (ask, { signal }) => {
        asked++
        return client['sql.run'](ask, { signal })
      },
    },
  })
  await until(() => link.store.getState().state === 'connected', 10_000)
  const density = createPastDensity(link)
  onTestFinished(density.close)
  return { density, snapshotId, asked: () => asked }
}

type Wish = Parameters<PastDensity['want']>[0]
const WHOLE: Wish = { past: {}, stepSeconds: 3600, from: START, neededTo: START + 2 * DAY, to: START + 2 * DAY }

async function counted(density: PastDensity, wish: Wish) {
  await until(() => density.want(wish) !== undefined, 10_000)
  return density.want(wish)!
}
const sum = (counts: ReadonlyMap<number, number>) => [...counts.values()].reduce((all, count) => all + count, 0)

it('counts the trades of all, of one, and as a snapshot had them', { timeout: 60_000 }, async () => {
  const { density, snapshotId } = await openDensity()
  const all = await counted(density, WHOLE)
  expect([sum(all), all.size, Math.min(...all.keys())]).toEqual([2_000, 48, START / 3600])
  expect(Math.max(...all.values()) - Math.min(...all.values())).toBeLessThanOrEqual(1)
  const one = await counted(density, { ...WHOLE, instrument: { symbol: 'SYM3', exchange: 'ASX' } })
  expect(sum(one)).toBe(Math.ceil((2_000 - 3) / 7))
  const then = await counted(density, { ...WHOLE, past: { snapshot_id: snapshotId } })
  expect(sum(then)).toBe(1_000)
})

it('asks once for what slides on within what it has', { timeout: 60_000 }, async () => {
  const { density, asked } = await openDensity()
  await counted(density, { ...WHOLE, neededTo: START + DAY })
  for (let second = 0; second < 100; second++)
    expect(density.want({ ...WHOLE, from: START + second * 60, neededTo: START + DAY + second })).toBeDefined()
  expect(asked()).toBe(1)
})

it('has no counts for what they do not cover, and asks for that at once', { timeout: 60_000 }, async () => {
  const { density, asked } = await openDensity()
  const day = { ...WHOLE, neededTo: START + DAY, to: START + DAY }
  await counted(density, day)
  const next = { ...WHOLE, from: START + DAY, neededTo: START + 2 * DAY }
  expect(density.want(next)).toBeUndefined()
  expect(density.want(next), 'is asked for once').toBeUndefined()
  await until(() => density.want(next) !== undefined, 4_000)
  expect([...density.want(next)!.keys()].every(hour => hour * 3600 >= START + DAY)).toBe(true)
  expect(density.want(day)).toBeUndefined()
  expect((await counted(density, day)).size).toBe(24)
  expect(asked()).toBe(3)
})

it('draws its own counts where it looked on, and the tables before that', () => {
  const edge = START + 1000
  const density = createDensity()
  const count = (...seconds: number[]) =>
    countTimes(
      density,
      Float64Array.from(seconds, second => second * 1e6),
      seconds.length,
    )
  count(edge - 6, edge - 2)
  count(edge - 1, edge - 1, edge, edge - 250)
  let wish: Wish | undefined
  const bars = timelineBars(
    { from: edge - 300, to: edge, width: 900, mode: 'live', edge },
    {
      density,
      pastDensity: {
        want: asked => (
          (wish = asked),
          new Map([
            [edge - 100, 7],
            [edge - 2, 3],
          ])
        ),
        close: () => {},
      },
      replay: { state: { getState: () => ({}) } } as never,
      focus: { getState: () => ({}) } as never,
    },
  )
  expect(bars.perBar).toBe(1)
  expect(bars.counts[edge - 100 - bars.first]).toBe(7)
  expect(bars.counts.slice(-7), 'the tables may not have the newest yet').toEqual([1, 0, 0, 0, 3, 2, 1])
  expect(wish).toMatchObject({ past: {}, stepSeconds: 1, neededTo: edge - 1 })
})
