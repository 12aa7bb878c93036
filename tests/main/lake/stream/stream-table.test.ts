import { describe, expect, it } from 'vitest'
import type { OffsetVector } from '../../../../src/main/market/topic-offsets.ts'
import { headOf } from '../../../../src/main/lake/iceberg/metadata.ts'
import { offsetsAt } from '../../../../src/main/lake/offsets.ts'
import { createStreamTable } from '../../../../src/main/lake/stream/stream-table.ts'
import { readRows, tempLake, tradesBatch } from '../../../support/lake.ts'
import type { StreamTable } from '../../../../src/main/ingest/stream-table.ts'

const TOPIC = 'market.equities.trades.asx'
const at = (next: Record<string, number>): OffsetVector => [{ cluster: 'c', epoch: 'e', topic: TOPIC, next }]

describe('a table as a stream writes it', () => {
  it('commits rows and how far the log is together', async () => {
    const lake = await tempLake()
    const stream: StreamTable = createStreamTable(lake, 'trades')
    expect(await stream.offsets()).toEqual([])
    const staged = [await stream.stage([tradesBatch(0, 30), tradesBatch(30, 60)])]
    await stream.commit({ staged, offsets: { from: [], to: at({ 0: 30, 1: 30, 2: 30 }) }, validThroughMicros: 5 })
    expect(await stream.offsets()).toEqual(at({ 0: 30, 1: 30, 2: 30 }))
    expect(await readRows(lake)).toHaveLength(90)
    const { metadata } = await lake.table('trades').load()
    expect(offsetsAt(metadata)).toEqual(at({ 0: 30, 1: 30, 2: 30 }))
    expect(headOf(metadata)!.summary['added-data-files']).toBe('1')
  })
})
