// What this process uses and what there is.
import { expect, it } from 'vitest'
import { readResidentMb, readTotalMemoryMb } from '../../../src/main/base/memory.ts'

it('weighs typed arrays, which are off the heap', () => {
  const before = readResidentMb()
  const columns = new Float64Array(16e6).fill(1)
  expect(readResidentMb() - before).toBeGreaterThan(100)
  expect(columns.at(-1)).toBe(1)
})

it('uses less than there is', () => {
  expect(readResidentMb()).toBeLessThan(readTotalMemoryMb())
})
