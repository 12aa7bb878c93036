// One loop for the page: every pane paints from here, once a frame at the most, and nothing runs when no pane is there.

type Paint = (nowMs: number) => void

const paints = new Set<Paint>()
let request = 0

function loop(nowMs: number): void {
  request = requestAnimationFrame(loop)
  for (const paint of paints) paint(nowMs)
}

/** Calls `paint` on frames, at most `timesPerSecond`; gives what ends it. */
export function onFrame(paint: Paint, timesPerSecond: number): () => void {
  // A little under the interval, or a frame that comes a fraction early would make it wait for the next one.
  const everyMs = 1000 / timesPerSecond - 5
  let last = -Infinity
  const throttled = (nowMs: number) => {
    if (nowMs - last < everyMs) return
    last = nowMs
    paint(nowMs)
  }
  paints.add(throttled)
  if (paints.size === 1) request = requestAnimationFrame(loop)
  return () => {
    paints.delete(throttled)
    if (paints.size === 0) cancelAnimationFrame(request)
  }
}
