import { expect, it } from 'vitest'
import { forPeople } from '../../../src/main/commands/for-people.ts'
import { plainHandlers } from '../../support/plain-handlers.ts'

const context = { signal: new AbortController().signal, correlationId: 'test', door: 'direct' } as const

it('tells a person how many partitions a snapshot speaks of, not each offset', async () => {
  const { data } = await plainHandlers()['snapshots.list']({ table: 'trades', limit: 1 }, context)
  const [one] = data
  const two = { ...one, offsets: [...one.offsets!, { ...one.offsets![0], topic: 'b', next: { 0: 5, 3: 9 } }] }
  const none = { ...one, offsets: null }
  expect(forPeople('snapshots.list', [one, two, none])).toMatchObject([
    { snapshot_id: one.snapshot_id, refs: 'main', offsets: '1 partition' },
    { offsets: '3 partitions' },
    { offsets: null },
  ])
})

it('adds partitions up to a line a topic', () => {
  const place = { committed_offset: '1', read_offset: '2', table: 'trades' }
  const topics = [
    { topic: 'a', partition: 0, lag: 2, ...place },
    { topic: 'a', partition: 1, lag: 3, ...place },
    { topic: 'b', partition: 0, lag: 0, ...place },
  ]
  expect(forPeople('ingest.status', { state: 'writing', breakers: [], topics })).toEqual({
    state: 'writing',
    breakers: [],
    topics: [
      { topic: 'a', partitions: 2, lag: 5 },
      { topic: 'b', partitions: 1, lag: 0 },
    ],
  })
})

it('leaves every other answer as it is', () => {
  const data = [{ topics: [{ topic: 'a', lag: 1 }] }]
  expect(forPeople('topics.list', data)).toBe(data)
  expect(forPeople('constructor', data)).toBe(data)
})
