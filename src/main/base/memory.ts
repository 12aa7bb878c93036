// Memory pressure judged by resident size against a budget: typed arrays and DuckDB live off the heap, so the heap says little.
import { totalmem } from 'node:os'

/** 0 is calm; each further level is the next threshold passed. The numbers are those of k2_degradation_level. */
export type PressureLevel = 0 | 1 | 2 | 3 | 4
const THRESHOLDS = [0.7, 0.8, 0.9, 0.95] as const
/** How far below its threshold a level has to fall before it counts as left, so that it does not flutter. */
const SLACK = 0.03

export interface MemoryUse {
  residentMb: number
  budgetMb: number
  level: PressureLevel
}

export interface MemoryWatch {
  read(): MemoryUse
  close(): void
}

export interface MemoryWatchOptions {
  budgetMb: number
  /** Called when the level changes, from the timer. */
  onLevel: (use: MemoryUse, previous: PressureLevel) => void
  everyMs?: number
  /** What is weighed; this process unless the caller sums several. */
  residentMb?: () => number
}

/** The timer does not keep the process alive. */
export function watchMemory(options: MemoryWatchOptions): MemoryWatch {
  const { budgetMb, onLevel, everyMs = 1000, residentMb = readResidentMb } = options
  let level: PressureLevel = 0
  const read = () => {
    const resident = residentMb()
    return { residentMb: resident, budgetMb, level: pressureLevel(resident / budgetMb, level) }
  }
  const timer = setInterval(() => {
    const use = read()
    const previous = level
    level = use.level
    if (level !== previous) onLevel(use, previous)
  }, everyMs)
  timer.unref()
  return { read, close: () => clearInterval(timer) }
}

/** The level of this share of the budget, coming from another level. */
export function pressureLevel(share: number, from: PressureLevel = 0): PressureLevel {
  const passed = (slack: number) => THRESHOLDS.filter(threshold => share >= threshold - slack).length as PressureLevel
  return passed(0) >= from ? passed(0) : (Math.min(from, passed(SLACK)) as PressureLevel)
}

export function readResidentMb(): number {
  return process.memoryUsage.rss() / 1e6
}

/** What this machine has, or what a container is allowed of it. */
export function readTotalMemoryMb(): number {
  const allowed = process.constrainedMemory() ?? 0
  return Math.floor((allowed > 0 ? Math.min(allowed, totalmem()) : totalmem()) / 1e6)
}
