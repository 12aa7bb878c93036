// Where a hybrid answer came from, how fresh it is, and what is missing in it if something is.
import { timestampText } from '../../../contract/columns.ts'
import type { Failure } from '../../../contract/failure.ts'
import type { QueryMeta } from '../../../contract/fields.ts'
import type { Clock } from '../../base/clock.ts'
import type { Found } from './read-hybrid.ts'
import { whyLiveIsPartial } from '../ask-live.ts'

export function hybridMeta(
  clock: Clock,
  found: Found,
  rows: { lake: number; live: number },
  startedMs: number,
): QueryMeta {
  const { lake, live, base } = found
  const why = whyPartial(found)
  const watermark = Math.max(
    (lake.value && base?.at.validThroughMicros) ?? -Infinity,
    live.value?.newestMicros ?? -Infinity,
  )
  const isKnown = Number.isFinite(watermark)
  return {
    ms: round(performance.now() - startedMs),
    engine: 'hybrid',
    snapshot_id: (lake.value && base?.at.snapshotId) ?? null,
    ...(lake.value && { files: filesOf(lake.value) }),
    sources: {
      ...(live.value && { tail: { rows: rows.live, ms: round(live.ms) } }),
      ...(lake.value && { lake: { rows: rows.lake, ms: round(lake.ms) } }),
    },
    ...(lake.value && live.value && { told_by: base?.isCertain === false ? ('place' as const) : ('offsets' as const) }),
    watermark: isKnown ? timestampText(watermark) : null,
    freshness_ms: isKnown ? Math.max(0, (clock.nowMicros() - watermark) / 1000) : null,
    partial: why !== null,
    why,
  }
}

const round = (ms: number) => Number(ms.toFixed(3))

/** What is held decoded was read from no file now. */
function filesOf({ window, isHeld }: NonNullable<Found['lake']['value']>): QueryMeta['files'] {
  return isHeld ? { ...window.files, read: 0 } : window.files
}

function whyPartial({ ground, lake, live, base }: Found): string | null {
  if (!live.value) return `The live view cannot be read, only what is in the tables: ${reason(live.error)}`
  if (!lake.value) return `The tables cannot be read, only what is held in memory: ${reason(lake.error)}`
  if (!ground.value)
    return `Whether snapshot ${base?.at.snapshotId} is still the one to stand on cannot be told: ${reason(ground.error)}`
  return whyLiveIsPartial(live.value)
}

function reason(error: Failure | undefined): string {
  return error?.message ?? 'nobody knows why.'
}
