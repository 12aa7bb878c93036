// Reference data: a tombstone makes its company inactive, as it was last heard of.
import { describe, expect, it } from 'vitest'
import { rowsOf, type ColumnBatch } from '../../../src/contract/columns.ts'
import { referenceData } from '../../../src/contract/tables.ts'
import { createIntake } from '../../../src/main/ingest/take-in.ts'
import { EMBEDDED_SCHEMA_IDS } from '../../../src/main/market/avro-schemas.ts'
import { createRowEncoder, type RowValues } from '../../../src/main/market/encode-row.ts'
import { createValueBuffer } from '../../../src/main/market/value-buffer.ts'
import { standardBatch, type SampleMessage } from '../../support/intake-messages.ts'

const TOPIC = 'market.equities.reference_data.asx'
const NOW = 1_794_000_000_123_456
const put = createRowEncoder(referenceData)

function company(companyId: string, offset: number, more: RowValues = {}): SampleMessage {
  const row: RowValues = {
    ...{ message_id: `${companyId}-${offset}`, company_id: companyId, symbol: 'BHP', exchange: 'ASX' },
    ...{ asset_class: 'equities', company_name: 'BHP Group', isin: 'AU000000BHP4', currency: null },
    ...{
      listing_date: 16_000,
      delisting_date: null,
      is_active: true,
      ingestion_timestamp: NOW,
      vendor_data: { a: 'b' },
    },
    ...more,
  }
  const out = createValueBuffer()
  put(out, EMBEDDED_SCHEMA_IDS.reference_data, row)
  const bytes = Buffer.from(out.bytes.subarray(0, out.length))
  return { offset, logMicros: NOW + offset, key: Buffer.from(companyId), bytes }
}

const tombstone = (companyId: string | null, offset: number): SampleMessage => ({
  ...{ offset, logMicros: NOW + offset, bytes: null },
  key: companyId === null ? null : Buffer.from(companyId),
})

const intakeOf = (companies?: ColumnBatch) =>
  createIntake({ table: 'reference_data', topic: TOPIC, dedupeMinutes: 60, companies })
const take = (messages: readonly SampleMessage[], intake = intakeOf()) => {
  intake.take(standardBatch(messages, { topic: TOPIC }))
  return intake.drain()
}

describe('a row of reference data', () => {
  it('has its dates, whether it is active, and what is null', () => {
    const { rows, deadLetters } = take([company('7078', 4), company('7', 5, { is_active: false, delisting_date: -1 })])
    expect(deadLetters).toEqual([])
    expect(Object.keys(rows.columns)).toEqual(referenceData.columns.map(({ name }) => name))
    expect(rowsOf(rows)).toEqual([
      {
        ...{ message_id: '7078-4', company_id: '7078', symbol: 'BHP', exchange: 'ASX', asset_class: 'equities' },
        ...{ company_name: 'BHP Group', isin: 'AU000000BHP4', currency: null, listing_date: '2013-10-22' },
        ...{ delisting_date: null, is_active: true, ingestion_timestamp: '2026-11-06T21:20:00.123456Z' },
        ...{ vendor_data: { a: 'b' }, _topic: TOPIC, _partition: 0, _offset: '4' },
      },
      expect.objectContaining({ company_id: '7', is_active: false, delisting_date: '1969-12-31' }),
    ])
  })
})

describe('a tombstone', () => {
  it('is a row like the last one of its company, but inactive, with a place and a time of its own', () => {
    const messages = [
      company('7078', 4),
      company('9', 5),
      company('7078', 6, { company_name: 'Billiton' }),
      tombstone('7078', 9),
    ]
    const rows = rowsOf(take(messages).rows)
    expect(rows[3]).toEqual({
      ...rows[2],
      ...{ message_id: '0-9', is_active: false, _offset: '9', ingestion_timestamp: '2026-11-06T21:20:00.123465Z' },
    })
  })

  it('goes by what is in the table after a restart, whatever is read again for the repeats', () => {
    const before = take([
      company('7078', 4),
      company('7078', 5, { symbol: 'BHX', listing_date: null }),
      company('9', 6),
    ]).rows
    const [row] = rowsOf(take([tombstone('7078', 7)], intakeOf(before)).rows)
    expect(row).toEqual({
      ...rowsOf(before)[1],
      ...{ message_id: '0-7', is_active: false, _offset: '7', ingestion_timestamp: '2026-11-06T21:20:00.123463Z' },
    })
    const intake = intakeOf(before)
    // A repeat of the first one, which nothing of what is read again tells.
    intake.remember(standardBatch([company('7078', 8)], { topic: TOPIC }))
    expect(rowsOf(take([tombstone('7078', 9)], intake).rows)).toMatchObject([{ symbol: 'BHX', is_active: false }])
  })

  it('is a dead letter for a company nobody knows, or without a key', () => {
    const { rows, deadLetters } = take([tombstone('1', 1), tombstone(null, 2), company('1', 3), tombstone('1', 4)])
    expect(deadLetters).toMatchObject([
      { offset: 1, reason: 'unknown_company', key: Buffer.from('1'), bytes: null },
      { offset: 2, reason: 'no_value', key: null },
    ])
    expect(rowsOf(rows)).toMatchObject([
      { _offset: '3', is_active: true },
      { _offset: '4', is_active: false },
    ])
  })

  it('does not go by a message that came again after it was corrected', () => {
    const old = company('1', 1, { company_name: 'Old' })
    const { rows, duplicates } = take([
      old,
      company('1', 2, { company_name: 'New' }),
      { ...old, offset: 3 },
      tombstone('1', 4),
    ])
    expect(duplicates).toBe(1)
    expect(rowsOf(rows).map(row => [row._offset, row.company_name])).toEqual([
      ['1', 'Old'],
      ['2', 'New'],
      ['4', 'New'],
    ])
  })
})
