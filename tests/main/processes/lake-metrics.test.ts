import { expect, it } from 'vitest'
import { countCommit } from '../../../src/main/processes/lake-metrics.ts'
import { createMetrics } from '../../../src/main/metrics/metrics.ts'
import { Failure } from '../../../src/contract/failure.ts'

it('counts rows, tries and failures of commits by table', async () => {
  const metrics = createMetrics({ environment: 'test', service: 'k2' })
  const commit = { table: 'trades' as const, operation: 'append' as const, rows: 7, elapsedMs: 12 }
  countCommit(metrics, { ...commit, attempts: 3 })
  countCommit(metrics, { ...commit, operation: 'replace', attempts: 1 })
  countCommit(metrics, { ...commit, error: new Failure('FENCED', 'moved') })
  const found = JSON.stringify(await metrics.json())
  const value = (name: string) => {
    const [, text] = new RegExp(`"name":"${name}".*?"value":(\\d+)`).exec(found) ?? []
    return Number(text)
  }
  expect(value('k2_iceberg_rows_written_total')).toBe(7)
  expect(value('k2_iceberg_commit_retries_total')).toBe(2)
  expect(value('k2_iceberg_transactions_total')).toBe(2)
  expect(value('k2_iceberg_compactions_total')).toBe(1)
  expect(value('k2_iceberg_commit_failures_total')).toBe(1)
  expect(found).toContain('"error_type":"FENCED"')
})
