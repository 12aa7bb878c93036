import { expect, it } from 'vitest'
import type { Context } from '../../../src/contract/capability.ts'
import { newSnapshotId } from '../../../src/main/lake/commit/new-head.ts'
import { lakeHandlers } from '../../../src/main/lake/handlers.ts'
import { headOf } from '../../../src/main/lake/iceberg/metadata.ts'
import type { Lake } from '../../../src/main/lake/lake.ts'
import { OFFSETS_KEY } from '../../../src/main/lake/offsets.ts'
import { ONLY_HEAD } from '../../support/failing-operations.ts'
import { append, tempLake, tradesBatch } from '../../support/lake.ts'

const CONTEXT: Context = { signal: new AbortController().signal, correlationId: 'test', door: 'direct' }

/** As another program could leave it. */
async function spoilOffsets(lake: Lake): Promise<string> {
  const { catalog, name, load, learn } = lake.table('trades')
  const base = await load()
  const head = headOf(base.metadata)!
  const spoiled = {
    ...head,
    'snapshot-id': newSnapshotId(),
    'parent-snapshot-id': head['snapshot-id'],
    'sequence-number': head['sequence-number'] + 1,
    summary: { ...head.summary, [OFFSETS_KEY]: 'no offsets' },
  }
  const outcome = await catalog.commit(
    name,
    base,
    [],
    [
      { action: 'add-snapshot', snapshot: spoiled },
      { action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': spoiled['snapshot-id'] },
    ],
  )
  if (outcome.state !== 'committed') throw new Error(JSON.stringify(outcome))
  learn(outcome.table)
  return head['snapshot-id']
}

it('lists snapshots and rolls back also where the offsets of one cannot be read', async () => {
  const lake = await tempLake()
  await append(lake, tradesBatch(0, 10))
  const before = await spoilOffsets(lake)
  const handlers = lakeHandlers(lake, { retention: ONLY_HEAD })
  const { data } = await handlers['snapshots.list']({ table: 'trades', limit: 10 }, CONTEXT)
  expect(data.map(({ offsets }) => offsets)).toEqual([null, null])
  const rolled = await handlers['lake.rollback']({ table: 'trades', snapshot_id: before, reingest: false }, CONTEXT)
  expect(rolled).toMatchObject({ rolled_back_to: before, rows_after: 10, offsets: null })
  await lake.close()
})

it('does not take a tag away where a snapshot is named too', async () => {
  const lake = await tempLake()
  await append(lake, tradesBatch(0, 1))
  const handlers = lakeHandlers(lake, { retention: ONLY_HEAD })
  await handlers['lake.tag']({ table: 'trades', name: 'close', remove: false }, CONTEXT)
  const both = { table: 'trades', name: 'close', remove: true, snapshot_id: '1' } as const
  await expect(handlers['lake.tag'](both, CONTEXT)).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  expect((await lake.table('trades').load()).metadata.refs).toHaveProperty('close')
  await lake.close()
})
