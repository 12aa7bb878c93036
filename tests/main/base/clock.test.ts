// The clock: the wall clock's time in the monotonic clock's steps.
import { describe, expect, it } from 'vitest'
import { createClock, systemClock } from '../../../src/main/base/clock.ts'

describe('the clock', () => {
  it('steps by microseconds while the wall clock stands within its millisecond', () => {
    const time = { wallMs: 1_700_000_000_000, monotonicMs: 50 }
    const clock = createClock(
      () => time.wallMs,
      () => time.monotonicMs,
    )
    expect(clock.nowMicros()).toBe(1_700_000_000_000_000)
    time.monotonicMs += 0.25
    expect(clock.nowMicros()).toBe(1_700_000_000_000_250)
    expect(clock.nowMs()).toBe(1_700_000_000_000)
  })

  it('follows the wall clock over a sleep, which the monotonic one does not count, and when it is set back', () => {
    const time = { wallMs: 1_700_000_000_000, monotonicMs: 50 }
    const clock = createClock(
      () => time.wallMs,
      () => time.monotonicMs,
    )
    time.wallMs += 3_600_000
    expect(clock.nowMs()).toBe(1_700_003_600_000)
    time.wallMs -= 7_200_000
    expect(clock.nowMicros()).toBe(1_699_996_400_000_000)
  })

  it('is the time of this machine', () => {
    expect(Math.abs(systemClock.nowMs() - Date.now())).toBeLessThanOrEqual(3)
    expect(Math.abs(systemClock.nowMicros() / 1000 - Date.now())).toBeLessThanOrEqual(3)
  })
})
