// The list of snapshots as the page keeps it, over a real lake.
import { expect, it, onTestFinished } from 'vitest'
import { Failure } from '../../../src/contract/failure.ts'
import { lakeHandlers } from '../../../src/main/lake/handlers.ts'
import { pollSnapshots } from '../../../src/renderer/stores/snapshots.ts'
import { ONLY_HEAD } from '../../support/failing-operations.ts'
import { append, tempLake, tradesBatch } from '../../support/lake.ts'
import { openTestLink, until } from '../../support/page-link.ts'

const WAIT_MS = 10_000

async function openSnapshots() {
  const lake = await tempLake()
  const handlers = lakeHandlers(lake, { retention: ONLY_HEAD })
  let isFailing = false
  const { link, cut } = openTestLink({
    answerMs: 20_000,
    checkEveryMs: 5_000,
    answers: {
      'snapshots.list': (ask, context) => {
        if (isFailing) throw new Failure('UNAVAILABLE', 'The catalog does not answer.')
        return handlers['snapshots.list'](ask, context)
      },
    },
  })
  const { state, close } = pollSnapshots(link)
  onTestFinished(close)
  return { lake, handlers, state, askAgain: cut, fail: (failing: boolean) => (isFailing = failing) }
}

it('lists them newest first, with what each added and how many rows there were then', async () => {
  const { lake, state, askAgain } = await openSnapshots()
  await lake.init()
  askAgain()
  await until(() => state.getState().list !== undefined, WAIT_MS)
  expect(state.getState().list).toEqual([])
  const before = Date.now() * 1000
  await append(lake, tradesBatch(0, 300))
  await append(lake, tradesBatch(300, 200))
  askAgain()
  await until(() => state.getState().list?.length === 2, WAIT_MS)
  const list = state.getState().list!
  expect(list.map(({ rows, added, operation, tags }) => ({ rows, added, operation, tags }))).toEqual([
    { rows: 500, added: 200, operation: 'append', tags: [] },
    { rows: 300, added: 300, operation: 'append', tags: [] },
  ])
  expect(list[0].committedMicros).toBeGreaterThanOrEqual(list[1].committedMicros)
  expect(list[1].committedMicros).toBeGreaterThan(before - 1_000_000)
})

it('shows a name that was given since, and keeps the list as it is where nothing has changed', async () => {
  const { lake, handlers, state, askAgain } = await openSnapshots()
  await append(lake, tradesBatch(0, 300))
  askAgain()
  await until(() => state.getState().list?.length === 1, WAIT_MS)
  const { list } = state.getState()
  let changes = 0
  state.subscribe(() => changes++)
  askAgain()
  await until(() => changes > 0, WAIT_MS)
  expect(state.getState().list).toBe(list)
  const signal = new AbortController().signal
  await handlers['lake.tag']({ name: 'month-end', table: 'trades', remove: false }, { signal } as never)
  askAgain()
  await until(() => state.getState().list?.[0].tags.includes('month-end') === true, WAIT_MS)
})

it('keeps what it had while the catalog is away, and says so', async () => {
  const { lake, state, askAgain, fail } = await openSnapshots()
  await append(lake, tradesBatch(0, 300))
  askAgain()
  await until(() => state.getState().list?.length === 1, WAIT_MS)
  fail(true)
  askAgain()
  await until(() => state.getState().failure !== undefined, WAIT_MS)
  expect(state.getState()).toMatchObject({ failure: 'The catalog does not answer.', list: [{ added: 300 }] })
  fail(false)
  askAgain()
  await until(() => state.getState().failure === undefined, WAIT_MS)
})
