import { readFileSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Lake } from '../../../../src/main/lake/lake.ts'
import { localPath } from '../../../../src/main/lake/io/location.ts'
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

it('finds any flipped bit of a data file, also after its manifest was written anew', async () => {
  const lake = await tempLake()
  const table = lake.table('trades')
  const { table: first } = await append(lake, tradesBatch(0, 300), { specId: 0 })
  const [manifest] = await table.manifests(first.metadata.snapshots[0])
  const [{ file }] = await table.entries(manifest, first)
  await append(lake, tradesBatch(300, 10), { specId: 0, mergeManifests: true })
  expect((await verifyTable(lake, table, { quick: false })).problems).toEqual([])
  const path = localPath(file.path)
  const bytes = readFileSync(path)
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.length - 1), fc.nat(7), async (at, bit) => {
      const flipped = Buffer.from(bytes)
      flipped[at] ^= 1 << bit
      writeFileSync(path, flipped)
      const { problems } = await verifyTable(lake, table, { quick: false })
      expect(problems[0].file).toBe(file.path)
      expect(problems[0].problem).toContain('the checksum differs')
    }),
    { numRuns: 15 },
  )
  writeFileSync(path, bytes)
  expect((await verifyTable(lake, table, { quick: false })).problems).toEqual([])
})
