import { expect, it } from 'vitest'
import type { Lake } from '../../../../src/main/lake/lake.ts'
import { compactTable } from '../../../../src/main/lake/maintain/compact-table.ts'
import { expireSnapshots } from '../../../../src/main/lake/maintain/expire-snapshots.ts'
import { verifyTable } from '../../../../src/main/lake/verify/verify-table.ts'
import { ONLY_HEAD } from '../../../support/failing-operations.ts'
import { append, tempLake, tradesBatch } from '../../../support/lake.ts'
import { makeTempFolder } from '../../../support/temp-folder.ts'

it.each(['this process', 'another process'])('takes no snapshot that expires in %s for lost files', async where => {
  const folder = makeTempFolder()
  const lake = await tempLake({ folder })
  for (let i = 0; i < 3; i++) await append(lake, tradesBatch(i * 10, 10), { specId: 0 })
  await compactTable(lake, lake.table('trades'), { minFiles: 2 })
  const other = where === 'this process' ? lake : await tempLake({ folder })
  let listed = 0
  const io: Lake['io'] = {
    ...lake.io,
    async *list(at) {
      if (++listed === 1) await expireSnapshots(other.table('trades'), { retention: ONLY_HEAD })
      yield* lake.io.list(at)
    },
  }
  const { problems, rows } = await verifyTable({ ...lake, io }, { ...lake.table('trades'), io }, { quick: false })
  expect({ problems, rows: rows >= 30, listed: listed > 0 }).toEqual({ problems: [], rows: true, listed: true })
})
