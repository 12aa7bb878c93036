// The sample as K2 itself reads it: every row is good, and times and prices are those of the files.
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { rowOf, rowsOf, type ColumnBatch } from '../../../../src/contract/columns.ts'
import { readCompanies } from '../../../../src/main/sources/csv/companies.ts'
import { openCsv } from '../../../../src/main/sources/csv/csv-source.ts'
import { sampleFiles } from '../../../../src/main/sources/sample/sample-files.ts'

const folder = resolve(import.meta.dirname, '../../../../resources/sample')
const { signal } = new AbortController()

async function load(name: string) {
  const companies = await readCompanies(join(folder, 'company_info.csv'), signal)
  const options = { format: 'auto' as const, exchange: 'ASX', loadedAtMicros: Date.UTC(2026, 0, 1) * 1000, companies }
  const source = await openCsv(join(folder, name), options, signal)
  const batches: ColumnBatch[] = []
  let bad = 0
  for await (const { batch, badRows } of source.read(signal)) {
    if (batch) batches.push(batch)
    bad += badRows.length
  }
  return { table: source.table, batches, bad, rows: batches.reduce((sum, { rowCount }) => sum + rowCount, 0) }
}

describe('the sample, loaded', () => {
  it.each([...sampleFiles()].map(({ name, rows }) => [name, rows] as const))(
    'gives all rows of %s',
    async (name, rows) => {
      const loaded = await load(name)
      expect([loaded.rows, loaded.bad]).toEqual([rows, 0])
      expect(loaded.table).toBe(/trades|quotes/.exec(name)?.[0] ?? 'reference_data')
    },
  )

  it('has its days in Sydney, with what was reported off the market marked', async () => {
    const { batches } = await load('7078_trades.csv.gz')
    expect(rowOf(batches[0], 0)).toMatchObject({
      symbol: 'BHP',
      exchange: 'ASX',
      currency: 'AUD',
      exchange_timestamp: expect.stringMatching(/^2014-03-09T2\d:/) as string,
      trade_conditions: ['3'],
      vendor_data: expect.objectContaining({ venue: 'X' }) as object,
    })
    const last = batches.at(-1)!
    expect(rowOf(last, last.rowCount - 1)).toMatchObject({
      exchange_timestamp: expect.stringMatching(/^2014-03-14T0[56]:/) as string,
    })
  })

  it('has no quote on a side that is empty, in both forms', async () => {
    for (const name of ['3153_quotes.csv.gz', '7181_quotes.csv.gz']) {
      const rows = (await load(name)).batches.flatMap(rowsOf)
      const oneSided = rows.filter(({ bid_price, ask_price }) => bid_price === null || ask_price === null)
      expect(oneSided.length).toBeGreaterThan(5)
      for (const { bid_price, bid_quantity, ask_price, ask_quantity } of oneSided)
        expect([bid_price === null, ask_price === null]).toEqual([bid_quantity === null, ask_quantity === null])
    }
  })
})
