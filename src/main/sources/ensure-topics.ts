// Topics that a source writes to, made where they are missing. One that is there stays as it is, whatever its partitions.
import type { MessageLog } from '../log/message-log.ts'
import { durationMs, planTopics } from '../market/plan-topics.ts'

/** As `k2 topics init` makes them when nothing else is said. */
const RETENTION_MS = durationMs('7d')

export async function ensureTopics(log: MessageLog, topics: Iterable<string>): Promise<void> {
  const there = new Set((await log.topics()).map(({ name }) => name))
  const missing = new Set([...topics].filter(name => !there.has(name)))
  if (missing.size === 0) return
  const planned = planTopics([...missing], { retentionMs: RETENTION_MS })
  await log.createTopics(planned.filter(({ name }) => missing.has(name)))
}
