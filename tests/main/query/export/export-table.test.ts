import { join } from 'node:path'
import { tableFromIPC } from 'apache-arrow'
import { onTestFinished, expect, it } from 'vitest'
import { exports } from '../../../../src/contract/export.ts'
import { rowsOf, type Row } from '../../../../src/contract/columns.ts'
import { lakeReads } from '../../../../src/main/lake/reads.ts'
import { openExports } from '../../../../src/main/query/export/handlers.ts'
import { partsOf } from '../../../../src/main/query/export/export-table.ts'
import { openPool } from '../../../../src/main/query/pool.ts'
import { connectDirect } from '../../../../src/main/wire/direct.ts'
import { createDispatch } from '../../../../src/main/wire/dispatch.ts'
import { append, tempLake, tradesBatch } from '../../../support/lake.ts'
import { makeTempFolder } from '../../../support/temp-folder.ts'

async function open() {
  const folder = makeTempFolder()
  const lake = await tempLake({ folder })
  const pool = await openPool({ size: 2, timeoutMs: 30_000, memoryMb: 256, tempFolder: join(folder, 'queries') })
  const { handlers, close } = openExports({ reads: lakeReads(lake), pool }, join(folder, 'exports'))
  onTestFinished(async () => {
    await pool.close()
    close()
  })
  const client = connectDirect(exports, createDispatch(exports, handlers, { checkAnswers: true }))
  const bytes = async (stream: AsyncIterable<Uint8Array>) => {
    const parts: Uint8Array[] = []
    for await (const part of stream) parts.push(part)
    return Buffer.concat(parts)
  }
  return { lake, client, bytes }
}

const linesOf = (bytes: Buffer) =>
  bytes
    .toString()
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Row)

it('gives the rows that a read gives, in their order, with the columns that are wanted', async () => {
  const { lake, client, bytes } = await open()
  const batch = tradesBatch(0, 500, { perDay: 250 })
  const first = await append(lake, batch)
  await append(lake, tradesBatch(500, 10))
  const id = String(first.snapshotId)
  const fields = ['price', 'symbol', 'source_sequence']
  const expected = rowsOf(batch)
    .filter(({ symbol }) => symbol === 'SYM3')
    .map(({ price, symbol, source_sequence }) => ({ price, symbol, source_sequence }))
  const input = { symbols: ['SYM3'], fields, snapshot_id: id }
  const asc = await bytes(client['trades.export']({ ...input, order: 'asc', format: 'ndjson' }))
  expect(linesOf(asc)).toEqual(expected)
  const desc = await bytes(client['trades.export']({ ...input, limit: 9, format: 'csv' }))
  const csv = expected
    .toReversed()
    .slice(0, 9)
    .map(row => `${row.price as string},${row.symbol as string},${row.source_sequence as string}`)
  expect(desc.toString()).toBe([fields.join(','), ...csv, ''].join('\r\n'))
  const arrow = tableFromIPC(
    await bytes(client['snapshots.export']({ id, fields: ['symbol'], order: 'asc', format: 'arrow' })),
  )
  expect(arrow.getChild('symbol')?.toJSON()).toEqual(rowsOf(batch).map(({ symbol }) => symbol))
  expect((await bytes(client['quotes.export']({ fields: ['symbol'], format: 'csv' }))).toString()).toBe('symbol\r\n')
  expect((await bytes(client['trades.export']({ format: 'parquet' }))).subarray(0, 4).toString()).toBe('PAR1')
})

it('refuses what has no meaning for a file', async () => {
  const { client, bytes } = await open()
  const asked = (input: object) => bytes(client['trades.export']({ format: 'csv', ...input } as never))
  await expect(asked({ cursor: 'a.b' })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  await expect(asked({ format: 'xlsx' })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  await expect(asked({ start_time: '2015-01-01', end_time: '2014-01-01' })).rejects.toMatchObject({
    code: 'INVALID_INPUT',
  })
  await expect(asked({ snapshot_id: '1' })).rejects.toMatchObject({ code: 'SNAPSHOT_NOT_FOUND' })
})

it('reads many rows part after part, none twice and none left out', () => {
  const whole = { fromMicros: -Infinity, toMicros: Infinity }
  const parts = partsOf(whole, [
    { rows: 600_000, fromMicros: 0, toMicros: 99 },
    { rows: 300_000, fromMicros: 50, toMicros: 199 },
  ])
  expect(parts).toEqual([
    { fromMicros: -Infinity, toMicros: 50 },
    { fromMicros: 50, toMicros: 100 },
    { fromMicros: 100, toMicros: 150 },
    { fromMicros: 150, toMicros: Infinity },
  ])
  expect(partsOf(whole, [{ rows: 900_000, fromMicros: -Infinity, toMicros: 9 }])).toEqual([whole])
  expect(partsOf(whole, [])).toEqual([whole])
})
