// How much memory this process uses, and how much there is.
import { totalmem } from 'node:os'

export function readResidentMb(): number {
  return process.memoryUsage.rss() / 1e6
}

/** What this machine has, or what a container is allowed of it. */
export function readTotalMemoryMb(): number {
  const allowed = process.constrainedMemory() ?? 0
  return Math.floor((allowed > 0 ? Math.min(allowed, totalmem()) : totalmem()) / 1e6)
}
