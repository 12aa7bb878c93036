import { expect, it } from 'vitest'
import { sampleTimes } from '../../../src/main/ingest/sample-times.ts'

const rows = (count: number, name = 'exchange_timestamp') => ({
  rowCount: count,
  columns: { [name]: { type: 'timestamp' as const, values: Float64Array.from({ length: count }, (_, i) => 1000 + i) } },
})

it('takes the times of all rows of a small flush, and of a large one some that are spread over it', () => {
  expect(sampleTimes(rows(3))).toEqual([1000, 1001, 1002])
  const some = sampleTimes(rows(80_001))
  expect(some).toHaveLength(20)
  expect(some[0]).toBe(1000)
  expect(some[19] - some[0]).toBeGreaterThan(70_000)
  expect(sampleTimes(rows(0))).toEqual([])
  expect(sampleTimes(rows(3, 'ingestion_timestamp'))).toEqual([])
})
