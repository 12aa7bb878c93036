import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDuck, type Duck } from '../../../../src/main/duck/open-duck.ts'
import { verifyTable } from '../../../../src/main/lake/verify/verify-table.ts'
import { composeLake, copyState, type LakeState } from '../../../support/compose-lake.ts'
import { OPERATIONS, reopened, smallTable, viewOf, type Operation } from '../../../support/failing-operations.ts'
import { faultyFiles, type Fault } from '../../../support/faulty-files.ts'
import { append, readRows, tradesBatch } from '../../../support/lake.ts'
import { strayFiles } from '../../../support/stray-files.ts'

let duck: Duck
let start: LakeState
beforeAll(async () => {
  duck = await openDuck({ threads: 1, memoryMb: 128 })
  start = await smallTable(duck)
})
afterAll(() => duck.close())

const HOW: readonly Fault['how'][] = ['before', 'after', 'half']

/** Without a fault: how many file operations there are, and what is there afterwards. */
async function plainRun({ run }: Operation) {
  const state = await copyState(start)
  const files = faultyFiles(state.files)
  const before = await viewOf(reopened(state, duck))
  await run(composeLake({ io: files, rows: state.rows, duck }))
  return { before, after: await viewOf(reopened(state, duck)), operations: files.operations() }
}

const seen = ({ rows, snapshots, tags }: Awaited<ReturnType<typeof viewOf>>) => ({ rows, snapshots, tags })

describe.each(OPERATIONS)('$name, when a file operation fails', operation => {
  it.each(HOW)(
    'is done or not done, whichever operation it is, and the next write is right (%s)',
    { timeout: 120_000 },
    async how => {
      const plain = await plainRun(operation)
      for (let at = 0; at < plain.operations.length; at++) {
        const state = await copyState(start)
        const files = faultyFiles(state.files, { at, how })
        const failed = await operation.run(composeLake({ io: files, rows: state.rows, duck })).then(
          () => false,
          (error: unknown) => {
            expect(error).toMatchObject({ name: 'Failure' })
            return true
          },
        )
        const what = `${at}: ${files.operations()[at]}`
        expect(files.struck(), what).toBe(true)
        const lake = reopened(state, duck)
        const view = await viewOf(lake)
        if (failed && operation.inSteps) expect(view.rows, what).toEqual(plain.before.rows)
        else if (failed) expect(seen(view), what).toEqual(seen(plain.before))
        if (!failed) expect(seen(view), what).toEqual(seen(plain.after))

        const table = lake.table('trades')
        expect((await verifyTable(lake, table, { quick: true })).problems, what).toEqual([])
        // A file that could not be removed may be left, and nothing else.
        const isRemoval = files.operations()[at].startsWith('remove ')
        const isHalfDone = failed && operation.name === 'expire'
        if (!isRemoval && !isHalfDone) expect(await strayFiles(table, state.files), what).toEqual([])

        const count = view.rows.length
        await append(lake, tradesBatch(1_000, 5, { symbols: 2 }), { specId: 0 })
        expect(await readRows(lake), what).toHaveLength(count + 5)
        await state.files.close()
      }
    },
  )
})
