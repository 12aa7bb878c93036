// How many messages a second there were over the last seconds.

const WINDOW_MS = 5000
const SAMPLE_MS = 250

export interface RateMeter {
  /** The count so far; cheap enough for every slice. */
  record(count: number, nowMs: number): void
  /** 0 when nothing has been recorded for the whole window. */
  perSecond(nowMs: number): number
}

export function createRateMeter(startMs: number): RateMeter {
  const samples = [{ ms: startMs, count: 0 }]
  let latest = samples[0]
  return {
    record(count, nowMs) {
      latest = { ms: nowMs, count }
      if (nowMs - samples[samples.length - 1].ms >= SAMPLE_MS) samples.push(latest)
      while (samples.length > 1 && nowMs - samples[1].ms > WINDOW_MS) samples.shift()
    },
    perSecond(nowMs) {
      const first = samples.find(({ ms }) => nowMs - ms <= WINDOW_MS) ?? latest
      const elapsedMs = nowMs - first.ms
      return elapsedMs > 0 ? ((latest.count - first.count) / elapsedMs) * 1000 : 0
    },
  }
}
