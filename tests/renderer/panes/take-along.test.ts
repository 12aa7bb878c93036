// What is said of a file of the explorer's rows.
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { GridHandle } from '../../../src/renderer/grid/result-grid.tsx'
import { download, fileTitle } from '../../../src/renderer/panes/explorer/take-along.ts'
import type { HeldResult } from '../../../src/renderer/stores/held-result.ts'

const CUT = 'only the first 2,000,000 rows are held; they alone are in the file'

function resultOf(is_truncated: boolean) {
  const asked: unknown[] = []
  const result: Pick<HeldResult, 'is_truncated' | 'row_count' | 'file'> = {
    is_truncated,
    row_count: 2_000_000,
    async *file(...order) {
      asked.push(order)
      yield new Uint8Array(1_500)
    },
  }
  return { result: result as HeldResult, asked }
}

function gridOf(order: ReturnType<GridHandle['order']>): GridHandle {
  return { picked: () => [], columns: () => [], clearFilter: () => {}, order: () => order }
}

const AS_STATED = { sort: [], filter: [] }
const SORTED = { sort: [{ column: 'price', descending: true }], filter: [] }
const FILTERED = { sort: [], filter: [{ column: 'side', op: '=' as const, value: 'BUY' }] }

describe('a file of a result that was cut', () => {
  it.each([
    ['sorted', SORTED, true, true],
    ['filtered', FILTERED, true, true],
    ['as stated', AS_STATED, true, false],
    ['sorted, of a result that is whole', SORTED, false, false],
  ])('says whether only held rows are in it: %s', async (_, order, isTruncated, isSaid) => {
    const clicked: object[] = []
    vi.stubGlobal('document', { createElement: () => ({ click: () => clicked.push({}) }) })
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    onTestFinished(() => {
      vi.runAllTimers()
      vi.useRealTimers()
      vi.unstubAllGlobals()
    })
    const { result, asked } = resultOf(isTruncated)
    const said = await download(result, gridOf(order), 'csv')
    expect(said).toMatch(/^k2-[\dT-]+\.csv, 2 kB/)
    expect(said.endsWith(CUT)).toBe(isSaid)
    expect(asked).toEqual([['csv', order.sort, order.filter]])
    expect(clicked).toHaveLength(1)
  })

  it('says so before it is saved too', () => {
    expect(fileTitle(resultOf(true).result, 'csv')).toContain('only of the first 2,000,000, which are held')
    expect(fileTitle(resultOf(false).result, 'parquet')).toBe(
      'All rows as Parquet, sorted and filtered as they are here',
    )
  })
})
