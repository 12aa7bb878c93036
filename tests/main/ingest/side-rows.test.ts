// Dead letters and gaps as rows: nothing of them is lost on the way into their tables.
import { describe, expect, it } from 'vitest'
import { rowsOf } from '../../../src/contract/columns.ts'
import { deadLetters, sequenceGaps } from '../../../src/contract/tables.ts'
import type { DeadLetter, Gap } from '../../../src/main/ingest/intake.ts'
import { deadLetterRows, gapRows } from '../../../src/main/ingest/side-rows.ts'

const NOW = 1_794_000_000_123_456

describe('a dead letter', () => {
  const letter: DeadLetter = {
    ...{ topic: 'market.equities.trades.asx', partition: 3, offset: 2 ** 40, logMicros: NOW },
    ...{ key: Buffer.from('BHP'), bytes: Buffer.from([0, 255, 128]), reason: 'undecodable', error: 'price: no.' },
  }

  it('is a row with its key and bytes in base64, and without them where there are none', () => {
    const none = { ...letter, offset: 8, key: null, bytes: null, reason: 'no_value' as const }
    const empty = { ...letter, offset: 9, key: Buffer.alloc(0), bytes: Buffer.alloc(0) }
    const batch = deadLetterRows([letter, none, empty])
    expect(Object.keys(batch.columns)).toEqual(deadLetters.columns.map(({ name }) => name))
    expect(rowsOf(batch)).toEqual([
      {
        detected_at: '2026-11-06T21:20:00.123456Z',
        topic: 'market.equities.trades.asx',
        partition: 3,
        offset: '1099511627776',
        key: 'QkhQ',
        bytes: 'AP+A',
        reason: 'undecodable',
        error: 'price: no.',
      },
      expect.objectContaining({ offset: '8', key: null, bytes: null, reason: 'no_value' }),
      expect.objectContaining({ offset: '9', key: '', bytes: '' }),
    ])
  })

  it('is none of no rows', () => {
    expect(deadLetterRows([]).rowCount).toBe(0)
    expect(rowsOf(gapRows([]))).toEqual([])
  })
})

describe('a gap', () => {
  const gap: Gap = {
    ...{ topic: 'market.equities.trades.asx', partition: 3, offset: 7, logMicros: NOW },
    ...{ symbol: 'BHP', exchange: 'ASX', assetClass: 'equities', dataType: 'trades' },
    ...{ expected: 102n, received: 105n, severity: 'minor' },
  }

  it('is a row that says how many are missing, exact for all 64 bits', () => {
    const far = { ...gap, expected: -(2n ** 62n), received: 2n ** 62n - 1n, severity: 'critical' as const }
    expect(Object.keys(gapRows([gap]).columns)).toEqual(sequenceGaps.columns.map(({ name }) => name))
    expect(rowsOf(gapRows([gap, far]))).toEqual([
      {
        detected_at: '2026-11-06T21:20:00.123456Z',
        ...{ symbol: 'BHP', exchange: 'ASX', asset_class: 'equities', data_type: 'trades' },
        ...{ expected_sequence: '102', received_sequence: '105', gap_size: '3', severity: 'minor' },
        ...{ _topic: 'market.equities.trades.asx', _partition: 3, _offset: '7' },
      },
      expect.objectContaining({
        expected_sequence: '-4611686018427387904',
        received_sequence: '4611686018427387903',
        gap_size: '9223372036854775807',
        severity: 'critical',
      }),
    ])
  })
})
