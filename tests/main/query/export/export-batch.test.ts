import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tableFromIPC } from 'apache-arrow'
import { expect, it } from 'vitest'
import { rowsOf, type ColumnBatch } from '../../../../src/contract/columns.ts'
import { openDuck } from '../../../../src/main/duck/open-duck.ts'
import { readBatch } from '../../../../src/main/duck/read-batch.ts'
import { exportBatch } from '../../../../src/main/query/export/export-batch.ts'
import { tradesBatch } from '../../../support/lake.ts'
import { makeTempFolder } from '../../../support/temp-folder.ts'

async function bytesOf(batch: ColumnBatch, format: 'arrow' | 'parquet'): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of exportBatch(batch, format)) parts.push(part)
  return Buffer.concat(parts)
}

it('writes the rows of an answer as Parquet that reads back to the same rows', async () => {
  const batch = tradesBatch(0, 3_000)
  const file = join(makeTempFolder(), 'rows.parquet')
  writeFileSync(file, await bytesOf(batch, 'parquet'))
  const duck = await openDuck()
  const read = await readBatch(await duck.connect(), `FROM '${file}'`)
  await duck.close()
  expect(rowsOf(read)).toEqual(rowsOf(batch))
})

it('writes them as Arrow with exact prices, whatever their places here', async () => {
  const batch = tradesBatch(0, 10)
  const cents: ColumnBatch = {
    rowCount: 2,
    columns: { price: { type: 'decimal', scale: 2, values: Float64Array.of(3618, -1), nulls: Uint8Array.of(0, 0) } },
  }
  const table = tableFromIPC(await bytesOf(batch, 'arrow'))
  expect(table.numRows).toBe(10)
  expect(table.getChild('symbol')?.toJSON()).toEqual(rowsOf(batch).map(({ symbol }) => symbol))
  const prices = tableFromIPC(await bytesOf(cents, 'arrow')).getChild('price')
  expect([0, 1].map(row => String(prices?.get(row)))).toEqual(['3618000000', '-1000000'])
})
