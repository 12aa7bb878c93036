import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Snapshot, TableMetadata } from '../../../../src/main/lake/iceberg/metadata.ts'
import { selectExpired, type Retention } from '../../../../src/main/lake/maintain/select-expired.ts'
import { OFFSETS_KEY } from '../../../../src/main/lake/offsets.ts'

const NOW = 1_700_000_000_000
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

interface Table {
  metadata: TableMetadata
  pinned: Set<string>
  retention: Retention
}

const retentions: fc.Arbitrary<Retention> = fc
  .record({
    steps: fc.subarray([
      { everyMs: 0, forMs: HOUR },
      { everyMs: MINUTE, forMs: DAY },
      { everyMs: DAY, forMs: 90 * DAY },
    ]),
    most: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constant(2_000)),
  })
  .map(({ steps, most }) => ({ keep: steps, most }))

const tables: fc.Arbitrary<Table> = fc
  .record({
    gaps: fc.array(fc.oneof(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 1, max: 5 * DAY })), {
      minLength: 1,
      maxLength: 60,
    }),
    // Other engines leave the offsets out; the last that has them must stay.
    foreign: fc.array(fc.boolean(), { minLength: 60, maxLength: 60 }),
    tagged: fc.array(fc.nat(59), { maxLength: 4 }),
    pinnedAt: fc.array(fc.nat(59), { maxLength: 4 }),
    retention: retentions,
  })
  .map(({ gaps, foreign, tagged, pinnedAt, retention }) => {
    let ageMs = 0
    const ages = gaps.map(gap => (ageMs += gap)).reverse()
    const snapshots = ages.map((age, i): Snapshot => ({
      'snapshot-id': String(i + 1),
      ...(i > 0 && { 'parent-snapshot-id': String(i) }),
      'sequence-number': i + 1,
      'timestamp-ms': NOW - age,
      summary: { operation: 'append', ...(foreign[i] ? {} : { [OFFSETS_KEY]: '[]' }) },
      'manifest-list': `list-${i}`,
      'schema-id': 0,
    }))
    const ids = (positions: number[]) => positions.filter(i => i < snapshots.length).map(i => String(i + 1))
    const refs = {
      main: { 'snapshot-id': String(snapshots.length), type: 'branch' },
      ...Object.fromEntries(ids(tagged).map(id => [`tag-${id}`, { 'snapshot-id': id, type: 'tag' }])),
    }
    const current = String(snapshots.length)
    return {
      metadata: { snapshots, refs, 'current-snapshot-id': current } as unknown as TableMetadata,
      pinned: new Set(ids(pinnedAt)),
      retention,
    }
  })

const commitAt = (timestampMs: number, n: number): Snapshot => ({
  'snapshot-id': String(n),
  ...(n > 1 && { 'parent-snapshot-id': String(n - 1) }),
  'sequence-number': n,
  'timestamp-ms': timestampMs,
  summary: { operation: 'append', [OFFSETS_KEY]: '[]' },
  'manifest-list': `list-${n}`,
  'schema-id': 0,
})

const idsOf = (snapshots: readonly Snapshot[]) => snapshots.map(snapshot => snapshot['snapshot-id'])
const goneFrom = ({ metadata, pinned, retention }: Table, nowMs = NOW) =>
  idsOf(selectExpired(metadata, { retention, nowMs, pinned }))

/** The way from the head to what says how far the log is, too: a gap in it would hide that. */
function untouchable({ metadata: { snapshots, refs }, pinned }: Table): Set<string> {
  const holder = snapshots.findLastIndex(({ summary }) => OFFSETS_KEY in summary)
  const way = holder === -1 ? [] : idsOf(snapshots.slice(holder))
  return new Set([...pinned, ...Object.values(refs).map(ref => ref['snapshot-id']), ...way])
}

const without = (table: Table, gone: readonly string[]): Table => ({
  ...table,
  metadata: {
    ...table.metadata,
    snapshots: table.metadata.snapshots.filter(snapshot => !gone.includes(snapshot['snapshot-id'])),
  },
})

describe('letting go of snapshots', () => {
  it('never takes the head, what a tag names, what is read, or the last one that says how far the log is', () => {
    fc.assert(
      fc.property(tables, table => {
        const held = untouchable(table)
        expect(goneFrom(table).filter(id => held.has(id))).toEqual([])
      }),
    )
  })

  it('leaves no more than the most there may be, and those that must stay', () => {
    fc.assert(
      fc.property(tables, table => {
        const left = table.metadata.snapshots.length - goneFrom(table).length
        expect(left).toBeLessThanOrEqual(Math.max(table.retention.most, untouchable(table).size))
      }),
    )
  })

  it('has nothing more to do a moment later', () => {
    fc.assert(
      fc.property(tables, table => {
        expect(goneFrom(without(table, goneFrom(table)))).toEqual([])
      }),
    )
  })

  it('keeps the newest of each stretch of time that a step wants, as far as there is room', () => {
    fc.assert(
      fc.property(tables, table => {
        const { metadata, retention } = table
        const gone = new Set(goneFrom(table))
        const newest = new Map<string, string>()
        for (const snapshot of metadata.snapshots) {
          const timestampMs = snapshot['timestamp-ms']
          for (const { everyMs, forMs } of retention.keep) {
            if (NOW - timestampMs > forMs) continue
            const stretch = everyMs === 0 ? snapshot['snapshot-id'] : Math.floor(timestampMs / everyMs)
            newest.set(`${everyMs} ${stretch}`, snapshot['snapshot-id'])
          }
        }
        // And nothing else but what must stay.
        const kept = new Set([...newest.values(), ...untouchable(table)])
        fc.pre(kept.size <= retention.most)
        expect([...kept].filter(id => gone.has(id))).toEqual([])
        expect(idsOf(metadata.snapshots).filter(id => !kept.has(id) && !gone.has(id))).toEqual([])
      }),
    )
  })

  it('keeps the newer ones where there is no room for all', () => {
    fc.assert(
      fc.property(tables, table => {
        const all = { ...table, retention: { keep: [{ everyMs: 0, forMs: 1_000 * DAY }], most: table.retention.most } }
        const gone = new Set(goneFrom(all))
        const held = untouchable(all)
        const free = idsOf(all.metadata.snapshots).filter(id => !held.has(id))
        const firstKept = free.findIndex(id => !gone.has(id))
        expect(free.slice(firstKept === -1 ? free.length : firstKept).filter(id => gone.has(id))).toEqual([])
      }),
    )
  })

  it.each([1, 5])('keeps yesterday where a stream commits every %d s, and thins out the last hour', everySeconds => {
    const retention: Retention = {
      keep: [
        { everyMs: 0, forMs: HOUR },
        { everyMs: MINUTE, forMs: DAY },
        { everyMs: DAY, forMs: 90 * DAY },
      ],
      most: 2_000,
    }
    let snapshots: Snapshot[] = []
    const keepUp = (nowMs: number) => {
      const head = snapshots.at(-1)!['snapshot-id']
      const metadata = {
        snapshots,
        refs: { main: { 'snapshot-id': head, type: 'branch' } },
        'current-snapshot-id': head,
      }
      const gone = new Set(selectExpired(metadata as unknown as TableMetadata, { retention, nowMs }))
      snapshots = snapshots.filter(snapshot => !gone.has(snapshot))
    }
    const days = 3
    const first = NOW - days * DAY
    for (let nowMs = first, n = 1; nowMs <= NOW; nowMs += everySeconds * 1_000, n++) {
      snapshots.push(commitAt(nowMs, n))
      if ((nowMs - first) % (10 * MINUTE) === 0) keepUp(nowMs)
    }
    keepUp(NOW)
    const ages = snapshots.map(snapshot => NOW - snapshot['timestamp-ms'])
    const minutes = new Set(ages.filter(age => age <= DAY).map(age => Math.floor((NOW - age) / MINUTE)))
    expect(snapshots.length).toBeLessThanOrEqual(retention.most)
    expect(minutes.size).toBeGreaterThanOrEqual(DAY / MINUTE)
    expect(ages.filter(age => age > DAY).length).toBeGreaterThanOrEqual(days - 1)
    expect(ages.filter(age => age <= 30 * MINUTE).length).toBeGreaterThanOrEqual(300)
  })

  it('spares everything when its clock is behind those that wrote', () => {
    fc.assert(
      fc.property(tables, table => {
        const steps = { keep: [{ everyMs: 0, forMs: HOUR }], most: 2_000 }
        expect(goneFrom({ ...table, retention: steps }, NOW - 400 * DAY)).toEqual([])
      }),
    )
  })
})
