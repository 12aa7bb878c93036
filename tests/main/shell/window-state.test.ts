// Where the window opens: on a screen that exists, whole, whatever was saved.
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  clampBounds,
  MIN_SIZE,
  readWindowState,
  writeWindowState,
  type Bounds,
} from '../../../src/main/shell/window-state.ts'
import { makeTempFolder } from '../../support/temp-folder.ts'

const laptop: Bounds = { x: 0, y: 25, width: 1440, height: 875 }
const desk: Bounds = { x: 1440, y: -200, width: 2560, height: 1400 }

const within = (inner: Bounds, outer: Bounds) =>
  inner.x >= outer.x &&
  inner.y >= outer.y &&
  inner.x + inner.width <= outer.x + outer.width &&
  inner.y + inner.height <= outer.y + outer.height

it('comes back exactly where it was while its screen is there', () => {
  const saved = { x: 1600, y: 0, width: 1800, height: 1000 }
  expect(clampBounds(saved, [laptop, desk])).toEqual(saved)
})

it('comes back centred on the first screen when its own is gone, and no larger than that', () => {
  const saved = { x: 1600, y: 0, width: 1800, height: 800 }
  expect(clampBounds(saved, [laptop])).toEqual({ x: 0, y: 62, width: 1440, height: 800 })
})

it('is moved wholly onto the screen that showed most of it', () => {
  expect(clampBounds({ x: 1300, y: 100, width: 1000, height: 600 }, [laptop, desk])).toMatchObject({ x: 1440, y: 100 })
  expect(clampBounds({ x: -500, y: 0, width: 1000, height: 600 }, [laptop, desk])).toMatchObject({ x: 0, y: 25 })
})

it('opens the first time in the middle, as large as fits', () => {
  expect(clampBounds(undefined, [laptop])).toEqual(laptop)
  expect(clampBounds(undefined, [desk])).toEqual({ x: 2000, y: 50, width: 1440, height: 900 })
})

it('lies wholly on one screen for any saved bounds and any screens', () => {
  const coordinate = fc.integer({ min: -10_000, max: 10_000 })
  const screen = fc.record({
    x: coordinate,
    y: coordinate,
    width: fc.integer({ min: MIN_SIZE.width, max: 6_000 }),
    height: fc.integer({ min: MIN_SIZE.height, max: 4_000 }),
  })
  const saved = fc.record({
    x: coordinate,
    y: coordinate,
    width: fc.integer({ min: 1, max: 20_000 }),
    height: fc.integer({ min: 1, max: 20_000 }),
  })
  fc.assert(
    fc.property(
      fc.option(saved, { nil: undefined }),
      fc.array(screen, { minLength: 1, maxLength: 4 }),
      (bounds, screens) => {
        const placed = clampBounds(bounds, screens)
        expect(screens.some(area => within(placed, area))).toBe(true)
        expect(clampBounds(placed, screens)).toEqual(placed)
      },
    ),
  )
})

it('keeps the state in a file, and takes a missing or damaged one for none', () => {
  const file = join(makeTempFolder(), 'window.json')
  expect(readWindowState(file)).toBeUndefined()
  writeWindowState(file, { bounds: laptop, maximized: true })
  expect(readWindowState(file)).toEqual({ bounds: laptop, maximized: true })
  for (const text of ['', '{"bounds":', '{"bounds":{"x":0},"maximized":true}', '[]']) {
    writeFileSync(file, text)
    expect(readWindowState(file)).toBeUndefined()
  }
  expect(existsSync(file)).toBe(true)
})
