// The window before its page has painted; what it allows the page is in security.test.ts.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { windowOptions } from '../../../src/main/shell/window-options.ts'
import { MIN_SIZE } from '../../../src/main/shell/window-state.ts'

const bounds = { x: 10, y: 20, width: 1000, height: 700 }
const newOptions = (dark: boolean) => windowOptions({ bounds, dark, preload: '/preload.cjs', icon: '/icon.png' })

it('opens hidden at its bounds, no smaller than the page can bear', () => {
  expect(newOptions(true)).toMatchObject({
    ...bounds,
    show: false,
    minWidth: MIN_SIZE.width,
    minHeight: MIN_SIZE.height,
  })
})

it('has the ground of the page’s theme, so that it does not flash', () => {
  const tokens = readFileSync(join(import.meta.dirname, '../../../src/renderer/ui/tokens.css'), 'utf8')
  const [, light, dark] = /--ground: light-dark\((#\w+), (#\w+)\)/.exec(tokens)!
  expect(newOptions(false).backgroundColor).toBe(light)
  expect(newOptions(true).backgroundColor).toBe(dark)
})
