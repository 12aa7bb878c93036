import { describe, expect, it } from 'vitest'
import type { Failure } from '../../../../src/contract/failure.ts'
import type { Snapshot, SnapshotRef, TableMetadata } from '../../../../src/main/lake/iceberg/metadata.ts'
import { requireSnapshot, resolveSnapshot } from '../../../../src/main/lake/read/resolve-snapshot.ts'

const START = Date.UTC(2026, 0, 5)

function snapshot(n: number, parent: number | null = n - 1): Snapshot {
  return {
    'snapshot-id': `90071992547409${90 + n}`,
    ...(parent && { 'parent-snapshot-id': `90071992547409${90 + parent}` }),
    'sequence-number': n,
    'timestamp-ms': START + n * 1000,
    summary: { operation: 'append' },
    'manifest-list': `list-${n}`,
  }
}
const id = (n: number) => `90071992547409${90 + n}`

/** `log` as pairs of snapshot and second. */
function table(snapshots: Snapshot[], log: [number, number][], refs: Record<string, SnapshotRef> = {}): TableMetadata {
  const head = log.at(-1)
  return {
    'current-snapshot-id': head ? id(head[0]) : null,
    snapshots,
    'snapshot-log': log.map(([n, second]) => ({ 'snapshot-id': id(n), 'timestamp-ms': START + second * 1000 })),
    refs: { ...(head && { main: { 'snapshot-id': id(head[0]), type: 'branch' as const } }), ...refs },
  } as unknown as TableMetadata
}

const at = (second: number) => ({ asOfMicros: (START + second * 1000) * 1000 })
const chosen = (metadata: TableMetadata, ...choice: [Parameters<typeof resolveSnapshot>[1]?]) =>
  resolveSnapshot(metadata, ...choice)?.['sequence-number']

function failure(work: () => unknown): Failure {
  try {
    work()
  } catch (error) {
    return error as Failure
  }
  throw new Error('nothing was thrown')
}

describe('the snapshot meant', () => {
  const plain = table(
    [snapshot(1), snapshot(2), snapshot(3)],
    [
      [1, 1],
      [2, 2],
      [3, 3],
    ],
  )

  it('is the newest when none is named, and none in an empty table', () => {
    expect(chosen(plain)).toBe(3)
    expect(chosen(table([], []))).toBe(undefined)
  })

  it('is the one of an id, also beyond what a double holds', () => {
    expect(chosen(plain, { snapshotId: id(2) })).toBe(2)
  })

  it('is refused for an id that is not there, with the oldest that is', () => {
    const error = failure(() => resolveSnapshot(plain, { snapshotId: '77' }))
    expect(error.code).toBe('SNAPSHOT_NOT_FOUND')
    expect(error.message).toBe(
      `There is no snapshot 77; it may have expired. The oldest kept is ${id(1)} of 2026-01-05T00:00:01.000000Z.`,
    )
    expect(failure(() => requireSnapshot(table([], []), '77')).message).toMatch(/the table has none yet/)
  })

  it('is the last one committed at or before a moment, to the microsecond', () => {
    expect(chosen(plain, at(2))).toBe(2)
    expect(chosen(plain, { asOfMicros: at(2).asOfMicros - 1 })).toBe(1)
    expect(chosen(plain, at(2.999))).toBe(2)
    expect(chosen(plain, at(1e6))).toBe(3)
  })

  it('is refused for a moment before the first, which is named with its time', () => {
    const error = failure(() => resolveSnapshot(plain, at(0)))
    expect(error.code).toBe('SNAPSHOT_NOT_FOUND')
    expect(error.message).toContain(`the first one kept is ${id(1)} of 2026-01-05T00:00:01.000000Z`)
    expect(failure(() => resolveSnapshot(table([], []), at(0))).message).toContain('the table has none yet')
  })

  it('is what was current then, when main was set back', () => {
    const setBack = table(
      [snapshot(1), snapshot(2), snapshot(3, 1)],
      [
        [1, 1],
        [2, 2],
        [1, 2.5],
        [3, 3],
      ],
    )
    expect(chosen(setBack, at(2.4))).toBe(2)
    expect(chosen(setBack, at(2.7))).toBe(1)
  })

  it('is one kept from before the log, which expiry cuts at its last gap', () => {
    const thinned = table(
      [snapshot(1), snapshot(3), snapshot(5), snapshot(6)],
      [
        [5, 5],
        [6, 6],
      ],
    )
    expect(chosen(thinned, at(4))).toBe(3)
    expect(chosen(thinned, at(2))).toBe(1)
    expect(chosen(thinned, at(5))).toBe(5)
  })

  it('is never one of another branch, by time', () => {
    const branched = table(
      [snapshot(1), snapshot(2, 1), snapshot(3, 1)],
      [
        [1, 1],
        [3, 3],
      ],
      { try: { 'snapshot-id': id(2), type: 'branch' } },
    )
    expect(chosen(branched, at(2.5))).toBe(1)
    branched['snapshot-log'] = branched['snapshot-log'].slice(1)
    expect(chosen(branched, at(2.5))).toBe(1)
  })

  it('is the one of a tag or branch, and refused for another name', () => {
    const tagged = table([snapshot(1), snapshot(2)], [[2, 2]], { close: { 'snapshot-id': id(1), type: 'tag' } })
    expect(chosen(tagged, { ref: 'close' })).toBe(1)
    expect(chosen(tagged, { ref: 'main' })).toBe(2)
    const error = failure(() => resolveSnapshot(tagged, { ref: 'open' }))
    expect(error.message).toBe('There is no tag or branch open; there are main, close.')
    expect(failure(() => resolveSnapshot(tagged, { ref: 'toString' })).code).toBe('SNAPSHOT_NOT_FOUND')
  })
})
