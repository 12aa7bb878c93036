import { expect, it } from 'vitest'
import { createFeed, readInto } from '../../../src/renderer/stores/feed.ts'

const rows = (rowCount: number) => ({ rowCount, columns: {} })

it('counts what came first, from before it was opened, apart from what came since', () => {
  const feed = createFeed()
  const reader = readInto(feed, () => {})
  reader.take(rows(5000), 1_000)
  reader.take(rows(3), 2_000)
  reader.take(rows(4), 3_000)
  expect(feed).toMatchObject({ received: 5007, backlog: 5000, newestAtMs: 3_000 })
})
