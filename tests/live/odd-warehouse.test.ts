// A warehouse in a folder whose name other engines could take for more than a name.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openLake } from '../../src/main/lake/lake.ts'
import { headOf } from '../../src/main/lake/iceberg/metadata.ts'
import { compactTable } from '../../src/main/lake/maintain/compact-table.ts'
import { findOrphans } from '../../src/main/lake/maintain/orphans.ts'
import { verifyTable } from '../../src/main/lake/verify/verify-table.ts'
import { append, readRows, tradesBatch } from '../support/lake.ts'
import { needs } from '../support/needs.ts'
import type { Reading } from '../support/pyiceberg-reading.ts'
import { startJudge } from '../support/pyiceberg.ts'
import { makeTempFolder } from '../support/temp-folder.ts'

const { skip, because } = needs('pyiceberg')

describe.skipIf(skip)(`a warehouse in an odd folder${because}`, { timeout: 60_000 }, () => {
  it.each(['a #b?c', 'a %23 b%', 'é [1]*;b'])('is read by PyIceberg as by K2: %j', async name => {
    const folder = makeTempFolder()
    const warehouse = join(folder, name)
    mkdirSync(warehouse)
    const file = join(folder, 'catalog.db')
    const lake = await openLake({
      warehouse,
      catalog: { kind: 'sqlite', file },
      s3: {},
      tempFolder: join(folder, 'spill'),
      threads: 1,
      memoryMb: 256,
    })
    onTestFinished(() => lake.close())
    await lake.init()
    for (let i = 0; i < 4; i++) await append(lake, tradesBatch(i * 100, 100), { specId: 0 })
    const table = lake.table('trades')
    await compactTable(lake, table, { minFiles: 2 })
    expect(await readRows(lake)).toHaveLength(400)
    expect((await verifyTable(lake, table, { quick: false })).problems).toEqual([])
    const orphans = await findOrphans(table, { olderThanMs: 0 })
    expect(orphans).toEqual([])

    const judge = await startJudge()
    onTestFinished(() => judge.close())
    const catalog = { name: 'k2', type: 'sql', uri: `sqlite:///${file}`, warehouse: lake.warehouse }
    const { metadata } = await table.load()
    for (const { 'snapshot-id': snapshot_id } of [metadata.snapshots[1], headOf(metadata)!]) {
      const { rows } = await judge.ask<Reading>('read', { catalog, table: 'market_data.trades', snapshot_id })
      expect(rows.rows).toBe((await readRows(lake, { snapshotId: snapshot_id })).length)
    }
  })
})
