// How this process is doing: resident memory (typed arrays live off the heap, so the heap says little) and loop delay.
import { monitorEventLoopDelay } from 'node:perf_hooks'

export interface OwnVitals {
  read: () => { pid: number; residentMb: number; loopDelayP99Ms: number }
  close: () => void
}

/** Loop delay is over the last finished ten seconds, or since the start before that. */
export function watchVitals(windowMs = 10_000): OwnVitals {
  const resolutionMs = 10
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs })
  histogram.enable()
  let last: number | undefined
  // The histogram counts the timer's own period as delay; what exceeds it is ours.
  const p99 = () => Math.max(0, histogram.percentile(99) / 1e6 - resolutionMs)
  const timer = setInterval(() => {
    last = p99()
    histogram.reset()
  }, windowMs)
  timer.unref()
  return {
    read: () => ({
      pid: process.pid,
      residentMb: Math.round(process.memoryUsage.rss() / 1e6),
      loopDelayP99Ms: Number((last ?? p99()).toFixed(2)),
    }),
    close() {
      clearInterval(timer)
      histogram.disable()
    },
  }
}
