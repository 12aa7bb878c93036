// Where the window was: read at the start, put on a screen that is still there, written when it closes.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { z } from 'zod'

const bounds = z.strictObject({ x: z.int(), y: z.int(), width: z.int().positive(), height: z.int().positive() })
const windowState = z.strictObject({ bounds, maximized: z.boolean() })

export type Bounds = z.infer<typeof bounds>
export type WindowState = z.infer<typeof windowState>
type Size = Pick<Bounds, 'width' | 'height'>

export const MIN_SIZE = { width: 800, height: 500 } as const
const FIRST_SIZE = { width: 1440, height: 900 } as const

/** Nothing to restore, when there is no file or it is damaged: that is no reason not to open. */
export function readWindowState(file: string): WindowState | undefined {
  try {
    return windowState.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return undefined
  }
}

export function writeWindowState(file: string, state: WindowState): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, JSON.stringify(state))
}

/**
 * Bounds that lie wholly on one screen: the one that showed most of the window, else the first.
 * `workAreas` are the screens without their bars, the primary first.
 */
export function clampBounds(saved: Bounds | undefined, workAreas: readonly Bounds[]): Bounds {
  if (!saved) return centre(FIRST_SIZE, workAreas[0])
  const shown = workAreas.map(area => overlap(saved, area))
  const most = Math.max(...shown)
  if (most === 0) return centre(saved, workAreas[0])
  const area = workAreas[shown.indexOf(most)]
  const { width, height } = fit(saved, area)
  const x = Math.min(Math.max(saved.x, area.x), area.x + area.width - width)
  const y = Math.min(Math.max(saved.y, area.y), area.y + area.height - height)
  return { x, y, width, height }
}

function centre(size: Size, area: Bounds): Bounds {
  const { width, height } = fit(size, area)
  const x = area.x + Math.floor((area.width - width) / 2)
  const y = area.y + Math.floor((area.height - height) / 2)
  return { x, y, width, height }
}

/** A screen smaller than the smallest size wins over it. */
function fit({ width, height }: Size, area: Bounds): Size {
  return {
    width: Math.min(Math.max(width, MIN_SIZE.width), area.width),
    height: Math.min(Math.max(height, MIN_SIZE.height), area.height),
  }
}

function overlap(a: Bounds, b: Bounds): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x)
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y)
  return Math.max(0, width) * Math.max(0, height)
}
