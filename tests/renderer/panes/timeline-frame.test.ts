// Which stretch of time the timeline shows.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { tickSeconds, timelineFrame } from '../../../src/renderer/panes/timeline/timeline-frame.ts'

const EDGE = 1_800_000_000
const frame = (subject: Partial<Parameters<typeof timelineFrame>[0]>) =>
  timelineFrame({ mode: 'live', edge: EDGE, tailSeconds: 250, ...subject }, 1000, 60)

describe('the timeline', () => {
  it('shows the whole tail while live, ending at the newest row, where the playhead is', () => {
    const { from, to, playhead } = frame({})
    expect([to - from, to, playhead]).toEqual([300, EDGE, EDGE])
  })

  it('reaches back as far as the moment that is looked at', () => {
    for (const back of [60, 4000, 86_400, 400 * 86_400]) {
      const { from, to, playhead, x } = frame({ mode: 'as_of', clock: EDGE - back })
      expect(playhead).toBe(EDGE - back)
      expect(from).toBeLessThan(playhead)
      expect(to).toBe(EDGE)
      expect(x(playhead)).toBeGreaterThan(0)
    }
  })

  it('shows the day that is replayed', () => {
    const span = { from: EDGE - 90_000, to: EDGE - 3600 }
    expect(frame({ mode: 'replay', span, clock: span.from + 60 })).toMatchObject({ ...span, playhead: span.from + 60 })
  })

  it('turns places into moments and back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 990 }), fc.integer({ min: 0, max: 1e8 }), (at, back) => {
        const { x, second } = frame({ mode: 'as_of', clock: EDGE - back })
        expect(x(second(at))).toBeCloseTo(at, 3)
      }),
    )
  })

  it('writes no more times than there is room for', () => {
    for (const back of [60, 4000, 86_400, 40 * 86_400]) {
      const shown = frame({ mode: 'as_of', clock: EDGE - back })
      expect((shown.to - shown.from) / tickSeconds(shown, 72)).toBeLessThanOrEqual(1000 / 72)
    }
  })
})
