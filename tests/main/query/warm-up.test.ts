import { expect, it, vi } from 'vitest'
import { warmUp } from '../../../src/main/query/warm-up.ts'
import { append, tempLake, tradesBatch } from '../../support/lake.ts'
import { queryParts } from '../../support/query.ts'

it('reads one file of each table that has one', async () => {
  const lake = await tempLake()
  await append(lake, tradesBatch(0, 2_000))
  const parts = await queryParts(lake)
  const open = vi.spyOn(parts.reads, 'open')
  await warmUp(parts, new AbortController().signal)
  expect(open).toHaveBeenCalledOnce()
  expect(await open.mock.settledResults[0].value).toMatchObject({ files: { read: 1 } })
})

it('ends where it is no longer wanted', async () => {
  const lake = await tempLake()
  await append(lake, tradesBatch(0, 10))
  await expect(warmUp(await queryParts(lake), AbortSignal.abort())).rejects.toThrow()
})
