// Dead letters of reference data tried again: a tombstone needs the company that it is of.
import { describe, expect, it } from 'vitest'
import { emptyBatch, rowsOf } from '../../../src/contract/columns.ts'
import { referenceData } from '../../../src/contract/tables.ts'
import { lastCompanies } from '../../../src/main/lake/stream/last-companies.ts'
import { createStandardizer, noRegistry } from '../../../src/main/market/standardize.ts'
import { rereadWith } from '../../../src/main/processes/reread-letters.ts'
import { append, tempLake } from '../../support/lake.ts'

const TOPIC = 'market.equities.reference_data.asx'
const MICROS = 1_794_000_000_000_000

const tools = { standardize: createStandardizer({ schemas: noRegistry }), schemaOf: noRegistry.schemaOf }
const place = (offset: number) => ({ topic: TOPIC, partition: 0, offset, logMicros: MICROS + offset })
const tombstone = (offset: number, id = '7078') => ({ ...place(offset), key: Buffer.from(id), bytes: null })
const company = (offset: number, name: string, id = '7078') => ({
  ...place(offset),
  key: Buffer.from(id),
  bytes: Buffer.from(JSON.stringify({ company_id: id, symbol: 'BHP', company_name: name })),
})
const nobody = () => Promise.resolve(emptyBatch(referenceData.columns))
const told = (rows: Awaited<ReturnType<ReturnType<typeof rereadWith>>>['rows']) =>
  rows
    .flatMap(({ batch }) => rowsOf(batch))
    .map(({ _offset, company_id: id, company_name: name, is_active: isActive }) => [_offset, id, name, isActive])

describe('a tombstone that is tried again', () => {
  it('makes its company inactive as the table had it before, whatever came later', async () => {
    const lake = await tempLake()
    const before = await rereadWith({ ...tools, companiesBefore: nobody })([company(3, 'then'), company(9, 'later')])
    for (const { batch } of before.rows) await append(lake, batch, { table: 'reference_data', specId: 0 })
    const reread = rereadWith({
      ...tools,
      companiesBefore: (topic, partition, offset) => lastCompanies(lake, topic, { partition, offset }),
    })
    const { rows, stillBad } = await reread([tombstone(5), tombstone(2), tombstone(12), tombstone(13, '1')])
    expect(told(rows)).toEqual([
      ['5', '7078', 'then', false],
      ['12', '7078', 'later', false],
    ])
    expect(stillBad).toBe(2)
  })

  it('knows what was tried again with it, in the order of the log', async () => {
    const letters = [tombstone(8), company(6, 'second'), tombstone(5), company(4, 'first'), company(9, 'third')]
    const { rows, stillBad } = await rereadWith({ ...tools, companiesBefore: nobody })(letters)
    expect(stillBad).toBe(0)
    expect(told(rows)).toEqual([
      ['4', '7078', 'first', true],
      ['6', '7078', 'second', true],
      ['9', '7078', 'third', true],
      ['5', '7078', 'first', false],
      ['8', '7078', 'second', false],
    ])
  })
})
