import { statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { commitChange } from '../../../../src/main/lake/commit/commit-change.ts'
import type { DataFile } from '../../../../src/main/lake/iceberg/data-file.ts'
import { headOf } from '../../../../src/main/lake/iceberg/metadata.ts'
import { verifyTable } from '../../../../src/main/lake/verify/verify-table.ts'
import { append, tempLake, tradesBatch } from '../../../support/lake.ts'
import { makeTempFolder } from '../../../support/temp-folder.ts'

/** A table of 50 rows of which another engine has deleted three, as its manifest tells, perhaps wrongly. */
async function checked(told: Partial<DataFile>) {
  const lake = await tempLake()
  const table = lake.table('trades')
  const { table: loaded } = await append(lake, tradesBatch(0, 50), { specId: 0 })
  const [manifest] = await table.manifests(headOf(loaded.metadata))
  const [{ file }] = await table.entries(manifest, loaded)
  const path = join(makeTempFolder(), 'deletes.parquet')
  const connection = await lake.duck.connect()
  const ids = `{file_path: 2147483546, pos: 2147483545}`
  const select = `SELECT '${file.path}' AS file_path, range AS pos FROM range(3)`
  await connection.run(`COPY (${select}) TO '${path}' (FORMAT parquet, FIELD_IDS ${ids})`)
  const deletes: DataFile = {
    content: 'position-deletes',
    path: `file://${path}`,
    format: 'PARQUET',
    specId: file.specId,
    partition: file.partition,
    recordCount: 3,
    fileBytes: statSync(path).size,
    ...told,
  }
  const { table: after } = await commitChange(table, { operation: 'overwrite', added: [deletes] })
  const { problems } = await verifyTable(lake, table, { quick: false })
  return { problems: problems.map(({ problem }) => problem), summary: headOf(after.metadata)!.summary }
}

it('holds files of position deletes to what their manifest says', async () => {
  const sound = await checked({ lowerBounds: new Map([[2147483545, Buffer.alloc(8)]]) })
  expect(sound.summary).toMatchObject({ 'total-position-deletes': '3', 'total-records': '50' })
  expect(sound.problems).toEqual([])
  expect((await checked({ recordCount: 4 })).problems).toEqual(['Holds 3 rows, its manifest says 4.'])
})

it('tells position deletes outside their bounds', async () => {
  const upperBounds = new Map([[2147483545, Buffer.of(1, 0, 0, 0, 0, 0, 0, 0)]])
  expect((await checked({ upperBounds })).problems).toEqual(['1 rows have a pos outside the bounds in its manifest.'])
})
