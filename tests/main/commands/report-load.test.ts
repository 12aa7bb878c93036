import { expect, it } from 'vitest'
import type { LoadProgress } from '../../../src/contract/ingest.ts'
import { createLoadReport } from '../../../src/main/commands/report-load.ts'

const loaded = (file: string, why?: string): LoadProgress => ({
  file,
  state: 'loaded',
  rows: 10,
  bad_rows: 0,
  bytes_read: 100,
  bytes_total: 100,
  rows_per_second: 5,
  seconds_left: 0,
  why,
})

it('says once what holds of every file', () => {
  const report = createLoadReport({ write: () => {} })
  const lines = ['a.csv', 'b.csv', 'c.csv'].map(file => report.take(loaded(file, 'The log keeps them')))
  expect(lines).toEqual([
    'loaded  a.csv: 10 rows, 5 rows/s. The log keeps them\n',
    'loaded  b.csv: 10 rows, 5 rows/s\n',
    'loaded  c.csv: 10 rows, 5 rows/s\n',
  ])
  expect(report.end().line).toMatch(/^files=3 skipped=0 failed=0 rows=30 bad_rows=0 duration_seconds=/)
})

it('gives the reason of every file that failed, also when it is the same', () => {
  const report = createLoadReport({ write: () => {} })
  const failed = (file: string): LoadProgress => ({ ...loaded(file, 'The disk is full.'), state: 'failed' })
  const lines = ['a.csv', 'b.csv'].map(file => report.take(failed(file)))
  expect(lines).toEqual(['failed  a.csv: The disk is full.\n', 'failed  b.csv: The disk is full.\n'])
  expect(report.end().anyFailed).toBe(true)
})
