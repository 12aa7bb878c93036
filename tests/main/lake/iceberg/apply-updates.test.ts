import { describe, expect, it } from 'vitest'
import { applyUpdates, nextTimestampMs, unmetRequirement } from '../../../../src/main/lake/iceberg/apply-updates.ts'
import { headOf, type TableMetadata, type Update } from '../../../../src/main/lake/iceberg/metadata.ts'
import { appendOf, emptyTrades, idOf, snapshotOf, START_MS } from './metadata-sample.ts'

const NOW = { nowMs: START_MS + 3_600_000 }
const withSnapshots = (count: number): TableMetadata =>
  Array.from({ length: count }, (_, i) => snapshotOf(i + 1)).reduce(
    (metadata, snapshot) => applyUpdates(metadata, appendOf(snapshot), { nowMs: snapshot['timestamp-ms'] }),
    emptyTrades(),
  )
const logOf = (metadata: TableMetadata) => metadata['snapshot-log'].map(entry => entry['snapshot-id'])
const setMain = (id: string): Update => ({
  action: 'set-snapshot-ref',
  'ref-name': 'main',
  type: 'branch',
  'snapshot-id': id,
})
const removal = (...ids: string[]): Update => ({ action: 'remove-snapshots', 'snapshot-ids': ids })

describe('an append', () => {
  it('moves main, the sequence number, the time and the log', () => {
    const metadata = withSnapshots(2)
    expect(headOf(metadata)?.['snapshot-id']).toBe(idOf(2))
    expect(metadata).toMatchObject({
      'current-snapshot-id': idOf(2),
      'last-sequence-number': 2,
      'last-updated-ms': START_MS + 2000,
      refs: { main: { 'snapshot-id': idOf(2), type: 'branch' } },
    })
    expect(logOf(metadata)).toEqual([idOf(1), idOf(2)])
  })

  it('leaves what it was made from as it is', () => {
    const before = withSnapshots(1)
    const copy = structuredClone(before)
    applyUpdates(before, [...appendOf(snapshotOf(2)), removal(idOf(1))], NOW)
    expect(before).toEqual(copy)
  })

  it('is refused with a sequence number that is taken', () => {
    const late = { ...snapshotOf(3), 'sequence-number': 2 }
    expect(() => applyUpdates(withSnapshots(2), appendOf(late), NOW)).toThrow(
      expect.objectContaining({ code: 'CONFLICT' }),
    )
  })

  it('is refused with a time that other engines would not take', () => {
    const early = { ...snapshotOf(3), 'timestamp-ms': START_MS - 120_000 }
    expect(() => applyUpdates(withSnapshots(2), appendOf(early), NOW)).toThrow('clock')
  })

  it('gets a later time than the last one from a host whose clock is an hour behind', () => {
    const metadata = withSnapshots(2)
    expect(nextTimestampMs(metadata, START_MS - 3_600_000)).toBe(START_MS + 2001)
    expect(nextTimestampMs(metadata, START_MS + 60_000)).toBe(START_MS + 60_000)
    const next = applyUpdates(metadata, [], { nowMs: START_MS - 3_600_000 })
    expect(next['last-updated-ms']).toBe(START_MS + 2000)
  })
})

describe('the log of metadata files', () => {
  it('names what was replaced and keeps as many as the property says', () => {
    const properties = { 'write.metadata.previous-versions-max': '3' }
    let metadata: TableMetadata = { ...emptyTrades(), properties }
    for (let n = 1; n <= 5; n++)
      metadata = applyUpdates(metadata, [], { nowMs: START_MS + n, previousLocation: `v${n}` })
    expect(metadata['metadata-log']).toEqual(
      [3, 4, 5].map(n => ({ 'metadata-file': `v${n}`, 'timestamp-ms': START_MS + n - 1 })),
    )
  })

  it('keeps a hundred without the property', () => {
    let metadata = emptyTrades()
    for (let n = 1; n <= 120; n++) metadata = applyUpdates(metadata, [], { nowMs: START_MS, previousLocation: `v${n}` })
    expect(metadata['metadata-log']).toHaveLength(100)
  })
})

describe('the log of snapshots', () => {
  it('has a snapshot that main went back to, at the time it did', () => {
    const metadata = applyUpdates(withSnapshots(3), [setMain(idOf(1))], NOW)
    expect(metadata['snapshot-log'].at(-1)).toEqual({ 'snapshot-id': idOf(1), 'timestamp-ms': NOW.nowMs })
    expect(metadata['current-snapshot-id']).toBe(idOf(1))
  })

  it('ends before a hole that a removed snapshot leaves', () => {
    const metadata = applyUpdates(withSnapshots(4), [removal(idOf(2))], NOW)
    expect(logOf(metadata)).toEqual([idOf(3), idOf(4)])
    expect(metadata.snapshots.map(snapshot => snapshot['snapshot-id'])).toEqual([idOf(1), idOf(3), idOf(4)])
  })

  it('has no snapshot that was followed by another in the same commit', () => {
    const metadata = applyUpdates(emptyTrades(), [...appendOf(snapshotOf(1)), ...appendOf(snapshotOf(2))], NOW)
    expect(logOf(metadata)).toEqual([idOf(2)])
  })
})

describe('refs', () => {
  it('are set with their retention and removed by name', () => {
    const tag: Update = {
      action: 'set-snapshot-ref',
      'ref-name': 'eod',
      type: 'tag',
      'snapshot-id': idOf(1),
      'max-ref-age-ms': 5,
    }
    const tagged = applyUpdates(withSnapshots(2), [tag], NOW)
    expect(tagged.refs.eod).toEqual({ 'snapshot-id': idOf(1), type: 'tag', 'max-ref-age-ms': 5 })
    expect(headOf(tagged)?.['snapshot-id']).toBe(idOf(2))
    expect(applyUpdates(tagged, [{ action: 'remove-snapshot-ref', 'ref-name': 'eod' }], NOW).refs).not.toHaveProperty(
      'eod',
    )
  })

  it('keep the snapshots they name: removing one takes its ref in the same commit', () => {
    const metadata = withSnapshots(2)
    expect(() => applyUpdates(metadata, [removal(idOf(2))], NOW)).toThrow('main')
    const both = applyUpdates(metadata, [{ action: 'remove-snapshot-ref', 'ref-name': 'main' }, removal(idOf(2))], NOW)
    expect(both).toMatchObject({ 'current-snapshot-id': null, refs: {}, 'snapshot-log': [] })
  })

  it('cannot name a snapshot that is not there, nor main be a tag', () => {
    expect(() => applyUpdates(withSnapshots(1), [setMain('5')], NOW)).toThrow('5')
    const tag: Update = { ...setMain(idOf(1)), type: 'tag' } as Update
    expect(() => applyUpdates(withSnapshots(1), [tag], NOW)).toThrow('main is a branch')
  })
})

describe('schemas, specs and sort orders', () => {
  const { schemas, 'partition-specs': specs, 'sort-orders': orders } = emptyTrades()
  const more = {
    ...schemas[0],
    fields: [...schemas[0].fields, { id: 50, name: 'note', required: false, type: 'string' }],
  }

  it('get the next free id, and -1 is the one just added', () => {
    const metadata = applyUpdates(
      emptyTrades(),
      [
        { action: 'add-schema', schema: more },
        { action: 'set-current-schema', 'schema-id': -1 },
        {
          action: 'add-spec',
          spec: { 'spec-id': 0, fields: [{ 'source-id': 3, 'field-id': 1002, name: 's', transform: 'identity' }] },
        },
        { action: 'set-default-spec', 'spec-id': -1 },
        { action: 'add-sort-order', 'sort-order': { 'order-id': 1, fields: [] } },
        { action: 'set-default-sort-order', 'sort-order-id': -1 },
      ],
      NOW,
    )
    expect(metadata).toMatchObject({
      'current-schema-id': 1,
      'last-column-id': 50,
      'default-spec-id': 2,
      'last-partition-id': 1002,
      'default-sort-order-id': 0,
    })
    expect(metadata.schemas[1]).toEqual({ ...more, 'schema-id': 1 })
  })

  it('that the table has already keep their id', () => {
    const metadata = applyUpdates(
      emptyTrades(),
      [
        { action: 'add-schema', schema: { ...schemas[0], 'schema-id': 9 } },
        { action: 'add-spec', spec: { ...specs[0], 'spec-id': 9 } },
        { action: 'add-sort-order', 'sort-order': { ...orders[0], 'order-id': 9 } },
        { action: 'set-default-spec', 'spec-id': -1 },
      ],
      NOW,
    )
    expect(metadata.schemas).toEqual(schemas)
    expect(metadata['partition-specs']).toEqual(specs)
    expect(metadata['sort-orders']).toEqual(orders)
    expect(metadata['default-spec-id']).toBe(0)
  })

  it.each<Update>([
    { action: 'set-current-schema', 'schema-id': 4 },
    { action: 'set-default-spec', 'spec-id': -1 },
    { action: 'set-default-sort-order', 'sort-order-id': 4 },
    { action: 'upgrade-format-version' } as unknown as Update,
  ])('refuse $action of what is not there', update => {
    expect(() => applyUpdates(emptyTrades(), [update], NOW)).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }))
  })
})

describe('properties', () => {
  it('are set and removed', () => {
    const set = applyUpdates(emptyTrades(), [{ action: 'set-properties', updates: { a: '1', b: '2' } }], NOW)
    expect(set.properties).toEqual({ a: '1', b: '2' })
    expect(applyUpdates(set, [{ action: 'remove-properties', removals: ['a'] }], NOW).properties).toEqual({ b: '2' })
  })
})

describe('requirements', () => {
  const metadata = withSnapshots(1)
  const uuid = metadata['table-uuid']

  it('that hold leave nothing to say', () => {
    const tag = { type: 'assert-ref-snapshot-id', ref: 'eod', 'snapshot-id': null } as const
    const main = { type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': idOf(1) } as const
    expect(unmetRequirement(metadata, [{ type: 'assert-table-uuid', uuid }, main, tag])).toBeUndefined()
    expect(unmetRequirement(emptyTrades(), [{ ...main, 'snapshot-id': null }])).toBeUndefined()
  })

  it('that do not hold say what is so', () => {
    expect(unmetRequirement(metadata, [{ type: 'assert-table-uuid', uuid: 'x' }])).toContain(uuid)
    expect(
      unmetRequirement(metadata, [{ type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': null }]),
    ).toContain(idOf(1))
    expect(unmetRequirement(undefined, [])).toContain('does not exist')
  })
})
