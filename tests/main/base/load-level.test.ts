// Load levels: entered at once, left after half a minute well below, and never fluttering.
import fc from 'fast-check'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createLoadLevel, LOAD_LEVELS, type Load, type LoadLevel } from '../../../src/main/base/load-level.ts'
import { watchLoad } from '../../../src/main/base/watch-load.ts'

const CALM: Load = { lag: 0, memoryShare: 0.3 }
const rank = (level: LoadLevel) => LOAD_LEVELS.indexOf(level)

function openLevels() {
  let nowMs = 0
  const told: string[] = []
  const levels = createLoadLevel({
    clock: { nowMs: () => nowMs },
    onChange: ({ level, previous, lag, memoryShare }) => told.push(`${previous} → ${level} at ${lag}, ${memoryShare}`),
  })
  levels.update(CALM)
  return {
    told,
    /** The level after this load has lasted so many seconds. */
    after: (seconds: number, load: Partial<Load>) => {
      for (let i = 0; i < seconds; i++) {
        nowMs += 1000
        levels.update({ ...CALM, ...load })
      }
      return levels.level()
    },
  }
}

describe('what has gathered before the start', () => {
  it('is no load, but what comes on top of it is', () => {
    let nowMs = 0
    const levels = createLoadLevel({ clock: { nowMs: () => (nowMs += 1000) } })
    const at = (lag: number) => levels.update({ ...CALM, lag })
    expect([2_000_000, 1_500_000, 1_599_999].map(at)).toEqual(['NORMAL', 'NORMAL', 'NORMAL'])
    expect([1_600_000, 6_500_000].map(at)).toEqual(['SOFT', 'CIRCUIT_BREAK'])
  })
})

describe('a level', () => {
  it.each([
    [99_999, 'NORMAL'],
    [100_000, 'SOFT'],
    [500_000, 'GRACEFUL'],
    [1_000_000, 'AGGRESSIVE'],
    [5_000_000, 'CIRCUIT_BREAK'],
  ])('is entered at once by lag: at %i it is %s', (lag, level) => {
    expect(openLevels().after(1, { lag })).toBe(level)
  })

  it.each([
    [0.699, 'NORMAL'],
    [0.7, 'SOFT'],
    [0.8, 'GRACEFUL'],
    [0.9, 'AGGRESSIVE'],
    [0.95, 'CIRCUIT_BREAK'],
    [3, 'CIRCUIT_BREAK'],
  ])('is entered at once by memory: at %f of the budget it is %s', (memoryShare, level) => {
    expect(openLevels().after(1, { memoryShare })).toBe(level)
  })

  it('is kept while the lag is not below half of what enters it', () => {
    const { after } = openLevels()
    expect(after(1, { lag: 1_200_000 })).toBe('AGGRESSIVE')
    expect(after(600, { lag: 500_000 })).toBe('AGGRESSIVE')
    expect(after(29, { lag: 499_999 })).toBe('AGGRESSIVE')
    expect(after(1, { lag: 499_999 })).toBe('GRACEFUL')
    expect(after(30, { lag: 249_999 })).toBe('SOFT')
    expect(after(30, { lag: 49_999 })).toBe('NORMAL')
  })

  it('is kept while memory is not ten points below what enters it', () => {
    const { after } = openLevels()
    after(1, { memoryShare: 0.96 })
    expect(after(600, { memoryShare: 0.86 })).toBe('CIRCUIT_BREAK')
    expect(after(30, { memoryShare: 0.84 })).toBe('AGGRESSIVE')
    expect(after(30, { memoryShare: 0.5 })).toBe('NORMAL')
  })

  it('starts its half minute anew when the load comes back for a moment', () => {
    const { after } = openLevels()
    after(1, { lag: 200_000 })
    after(29, {})
    after(1, { lag: 60_000 })
    expect(after(29, {})).toBe('SOFT')
    expect(after(1, {})).toBe('NORMAL')
  })

  it('is not entered by what gathered before the start, until that was once read', () => {
    const levels = createLoadLevel({ clock: { nowMs: () => 0 } })
    expect(levels.update({ lag: 9_000_000, memoryShare: 0 })).toBe('NORMAL')
    expect(levels.update({ lag: 9_000_000, memoryShare: 0.75 })).toBe('SOFT')
    expect(levels.update({ lag: 99_999, memoryShare: 0 })).toBe('SOFT')
    expect(levels.update({ lag: 600_000, memoryShare: 0 })).toBe('GRACEFUL')
  })

  it('is not entered by it either when nobody could tell at first how much it is; memory counts meanwhile', () => {
    const levels = createLoadLevel({ clock: { nowMs: () => 0 } })
    expect(levels.update({ lag: undefined, memoryShare: 0 })).toBe('NORMAL')
    expect(levels.update({ lag: 600_000, memoryShare: 0 })).toBe('NORMAL')
    expect(levels.update({ lag: undefined, memoryShare: 0.75 })).toBe('SOFT')
    levels.update({ lag: 99_999, memoryShare: 0 })
    expect(levels.update({ lag: 600_000, memoryShare: 0 })).toBe('GRACEFUL')
  })

  it('is told when it changes, with what did it, and only then', () => {
    const { after, told } = openLevels()
    after(5, { lag: 600_000 })
    after(60, {})
    expect(told).toEqual(['NORMAL → GRACEFUL at 600000, 0.3', 'GRACEFUL → NORMAL at 0, 0.3'])
  })
})

const load = fc.record({
  lag: fc.integer({ min: 0, max: 8_000_000 }),
  memoryShare: fc.double({ min: 0, max: 1.2, noNaN: true }),
})
const steps = fc.array(fc.record({ load, afterMs: fc.integer({ min: 1, max: 20_000 }) }), { maxLength: 60 })

describe('whatever the load does', () => {
  it('no level is left earlier than half a minute after the load last entered it', () => {
    fc.assert(
      fc.property(steps, steps => {
        let nowMs = 0
        const levels = createLoadLevel({ clock: { nowMs: () => nowMs } })
        const fresh = (load: Load) => {
          const other = createLoadLevel({ clock: { nowMs: () => 0 } })
          other.update(CALM)
          return rank(other.update(load))
        }
        levels.update(CALM)
        const enteredAtMs = LOAD_LEVELS.map(() => -Infinity)
        for (const { load, afterMs } of steps) {
          nowMs += afterMs
          const level = rank(levels.update(load))
          expect(level).toBeGreaterThanOrEqual(fresh(load))
          for (let i = 1; i <= fresh(load); i++) enteredAtMs[i] = nowMs
          for (let i = level + 1; i < LOAD_LEVELS.length; i++)
            expect(nowMs - enteredAtMs[i]).toBeGreaterThanOrEqual(30_000)
        }
      }),
    )
  })

  it('more of it never gives a lower level', () => {
    fc.assert(
      fc.property(
        steps,
        fc.integer({ min: 0, max: 1_000_000 }),
        fc.double({ min: 0, max: 0.5, noNaN: true }),
        (steps, lag, share) => {
          let nowMs = 0
          const [less, more] = [0, 0].map(() => createLoadLevel({ clock: { nowMs: () => nowMs } }))
          for (const levels of [less, more]) levels.update(CALM)
          for (const { load, afterMs } of steps) {
            nowMs += afterMs
            const low = less.update(load)
            const high = more.update({ lag: load.lag + lag, memoryShare: load.memoryShare + share })
            expect(rank(high)).toBeGreaterThanOrEqual(rank(low))
          }
        },
      ),
    )
  })

  it('half a minute of calm brings it back to normal', () => {
    fc.assert(
      fc.property(steps, steps => {
        let nowMs = 0
        const levels = createLoadLevel({ clock: { nowMs: () => nowMs } })
        for (const { load, afterMs } of steps) {
          nowMs += afterMs
          levels.update(load)
        }
        nowMs += 30_000
        expect(levels.update(CALM)).toBe('NORMAL')
      }),
    )
  })
})

describe('watching', () => {
  function watchBudget(lag: () => number | undefined = () => 0) {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    let residentMb = 0
    const told: string[] = []
    const watch = watchLoad({
      budgetMb: 1000,
      residentMb: () => residentMb,
      lag,
      onChange: ({ level }) => told.push(level),
    })
    onTestFinished(() => watch.close())
    return {
      told,
      watch,
      lasts: async (seconds: number, mb: number) => {
        residentMb = mb
        await vi.advanceTimersByTimeAsync(seconds * 1000)
      },
    }
  }

  it('tells every change of level once', async () => {
    const { lasts, told, watch } = watchBudget()
    for (const mb of [100, 750, 760, 960]) await lasts(1, mb)
    await lasts(31, 500)
    expect(told).toEqual(['SOFT', 'CIRCUIT_BREAK', 'NORMAL'])
    expect(watch.level()).toBe('NORMAL')
  })

  it('goes by the last known lag while the log cannot tell', async () => {
    const lags = [0, 700_000]
    const { lasts, watch } = watchBudget(() => {
      if (lags.length === 0) throw new Error('no broker')
      return lags.shift()!
    })
    await lasts(60, 100)
    expect(watch.level()).toBe('GRACEFUL')
  })

  it.each(['has not been looked at', 'cannot be reached'])(
    'takes what it finds for caught up with only once it is, where the log %s at first',
    async how => {
      const lags = [600_000, 600_000, 400_000, 50_000, 600_000]
      let looks = 0
      const { lasts, told, watch } = watchBudget(() => {
        if (++looks > 3) return lags.shift() ?? 0
        if (how === 'cannot be reached') throw new Error('no broker')
        return undefined
      })
      await lasts(7, 100)
      expect([watch.level(), told]).toEqual(['NORMAL', []])
      await lasts(1, 100)
      expect(told).toEqual(['GRACEFUL'])
    },
  )

  it('goes by the last known lag, too, while nobody has looked again', async () => {
    const lags = [0, 700_000]
    const { lasts, watch } = watchBudget(() => lags.shift())
    await lasts(60, 100)
    expect(watch.level()).toBe('GRACEFUL')
  })

  it('says nothing after it was closed', async () => {
    const { lasts, told, watch } = watchBudget()
    watch.close()
    await lasts(5, 990)
    expect(told).toEqual([])
  })
})
