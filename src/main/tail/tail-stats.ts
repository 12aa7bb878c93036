// A tail's numbers in the words of the contract.
import { timestampText } from '../../contract/columns.ts'
import type { TailStats } from '../../contract/system.ts'
import type { Lag, TailRun } from './run-tail.ts'
import type { Tail, TailCounts } from './tail.ts'

export async function tailStats(tail: Tail, run: TailRun): Promise<TailStats> {
  const lags = await run.lags()
  const counts = tail.counts()
  const { oldestMicros, newestMicros } = counts
  return {
    is_running: run.isRunning(),
    trouble: run.trouble() ?? null,
    symbols_count: counts.instruments,
    total_messages: counts.total,
    held_messages: counts.held,
    buffer_minutes: oldestMicros !== undefined ? rounded(Math.max(0, newestMicros! - oldestMicros) / 60e6, 2) : 0,
    bytes: counts.bytes,
    oldest: oldestMicros === undefined ? null : timestampText(oldestMicros),
    newest: newestMicros === undefined ? null : timestampText(newestMicros),
    rate_per_second: rounded(counts.ratePerSecond, 1),
    undecodable: counts.undecodable,
    duplicates: counts.duplicates,
    skipped: counts.skipped,
    evicted_uncommitted: counts.evictedUncommitted,
    partitions: lags.map(lag => partitionStats(counts, lag)),
  }
}

function partitionStats({ places }: TailCounts, { topic, partition, nextOffset, lag }: Lag) {
  const place = places.find(known => !known.isGone && known.partition === partition && known.topic === topic)
  const committed = place && Number.isFinite(place.committed) ? String(place.committed) : null
  return {
    topic,
    partition,
    first_offset: String(place?.firstOffset ?? nextOffset),
    next_offset: String(nextOffset),
    committed_offset: committed,
    lag,
  }
}

function rounded(value: number, decimals: number): number {
  return Number(value.toFixed(decimals))
}
