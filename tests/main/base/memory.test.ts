// Memory pressure: levels by resident size against a budget, told once each.
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { pressureLevel, readResidentMb, watchMemory } from '../../../src/main/base/memory.ts'

function watchResident(budgetMb: number) {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  let residentMb = 0
  const told: string[] = []
  const watch = watchMemory({
    budgetMb,
    residentMb: () => residentMb,
    onLevel: (use, previous) => told.push(`${previous}→${use.level} at ${use.residentMb} of ${use.budgetMb}`),
  })
  onTestFinished(() => watch.close())
  return {
    told,
    watch,
    /** Says what is resident and lets a second pass. */
    set: (mb: number) => {
      residentMb = mb
      vi.advanceTimersByTime(1000)
    },
  }
}

describe('pressure', () => {
  it.each([
    [0.5, 0],
    [0.699, 0],
    [0.7, 1],
    [0.8, 2],
    [0.9, 3],
    [0.95, 4],
    [3, 4],
  ])('at %f of the budget is level %i', (share, level) => {
    expect(pressureLevel(share)).toBe(level)
  })

  it('falls only when it is clearly below, so that it does not flutter at a threshold', () => {
    expect(pressureLevel(0.69, 1)).toBe(1)
    expect(pressureLevel(0.66, 1)).toBe(0)
    expect(pressureLevel(0.88, 3)).toBe(3)
    expect(pressureLevel(0.86, 3)).toBe(2)
    expect(pressureLevel(0.1, 4)).toBe(0)
  })

  it('rises at once by several levels', () => {
    expect(pressureLevel(0.96, 1)).toBe(4)
  })
})

describe('watching', () => {
  it('tells every change of level once, with what was used', () => {
    const { set, told } = watchResident(1000)
    for (const mb of [100, 750, 760, 960, 690, 600]) set(mb)
    expect(told).toEqual(['0→1 at 750 of 1000', '1→4 at 960 of 1000', '4→1 at 690 of 1000', '1→0 at 600 of 1000'])
  })

  it('says nothing after it was closed', () => {
    const { set, told, watch } = watchResident(1000)
    watch.close()
    set(990)
    expect(told).toEqual([])
    expect(watch.read()).toEqual({ residentMb: 990, budgetMb: 1000, level: 4 })
  })

  it('weighs typed arrays, which are off the heap', () => {
    const before = readResidentMb()
    const columns = new Float64Array(16e6).fill(1)
    expect(readResidentMb() - before).toBeGreaterThan(100)
    expect(columns.at(-1)).toBe(1)
  })
})
