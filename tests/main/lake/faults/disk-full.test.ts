import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import type { Failure } from '../../../../src/contract/failure.ts'
import { openDuck, type Duck } from '../../../../src/main/duck/open-duck.ts'
import { diskFailure } from '../../../../src/main/lake/io/disk-failure.ts'
import { verifyTable } from '../../../../src/main/lake/verify/verify-table.ts'
import { composeLake, copyState, type LakeState } from '../../../support/compose-lake.ts'
import { OPERATIONS, reopened, smallTable, viewOf } from '../../../support/failing-operations.ts'
import { faultyFiles } from '../../../support/faulty-files.ts'
import { append, readRows, tempLake, tradesBatch } from '../../../support/lake.ts'
import { strayFiles } from '../../../support/stray-files.ts'
import { makeTempFolder } from '../../../support/temp-folder.ts'

let duck: Duck
let start: LakeState
beforeAll(async () => {
  duck = await openDuck({ threads: 1, memoryMb: 128 })
  start = await smallTable(duck)
})
afterAll(() => duck.close())

const full = () =>
  diskFailure(Object.assign(new Error('no space'), { code: 'ENOSPC' }), 'file:///warehouse/x', '') as Failure

it.each(OPERATIONS)(
  'a disk that is full from some write on leaves $name undone, and a table to read',
  async operation => {
    for (let at = 0; ; at++) {
      const state = await copyState(start)
      const before = await viewOf(reopened(state, duck))
      const files = faultyFiles(state.files, { at, only: ['write', 'adopt'], how: 'half', lasting: true, error: full })
      const failure = await operation.run(composeLake({ io: files, rows: state.rows, duck })).then(
        () => undefined,
        (error: unknown) => error,
      )
      if (!files.struck()) break
      expect(failure).toMatchObject({
        code: 'UNAVAILABLE',
        message: expect.stringMatching(/disk is full.*Free space/) as string,
      })
      const lake = reopened(state, duck)
      expect((await viewOf(lake)).rows).toEqual(before.rows)
      expect(await strayFiles(lake.table('trades'), state.files)).toEqual([])
      await operation.run(lake) // there is room again
      expect((await verifyTable(lake, lake.table('trades'), { quick: true })).problems).toEqual([])
      await state.files.close()
    }
  },
)

/** A disk of a few megabytes of memory, where this user may mount one. */
function smallDisk(): string | undefined {
  const folder = join(makeTempFolder(), 'disk')
  mkdirSync(folder)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder], { stdio: 'ignore' })
  } catch {
    return undefined
  }
  onTestFinished(() => void execFileSync('umount', ['-l', folder]))
  return folder
}

it('says so when a real disk is full, and goes on where it was once there is room', async context => {
  const folder = smallDisk()
  if (folder === undefined) return context.skip('this user may not mount a disk')
  const lake = await tempLake({ folder })
  const table = lake.table('trades')
  let rows = 0
  const fill = join(folder, 'fill')
  await append(lake, tradesBatch(0, 100), { specId: 0 })
  rows += 100
  const { bavail, bsize } = statfsSync(folder)
  writeFileSync(fill, new Uint8Array(bavail * bsize - 30_000))
  let failure: unknown
  while (failure === undefined) {
    await append(lake, tradesBatch(rows, 100), { specId: 0 }).then(
      () => (rows += 100),
      (error: unknown) => (failure = error),
    )
  }
  expect(failure).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringMatching(/full|no room/) as string })
  expect(await readRows(lake)).toHaveLength(rows)
  expect((await verifyTable(lake, table, { quick: false })).problems).toEqual([])
  expect(await strayFiles(table, lake.io)).toEqual([])
  rmSync(fill)
  await append(lake, tradesBatch(rows, 100), { specId: 0 })
  expect(await readRows(lake)).toHaveLength(rows + 100)
})
