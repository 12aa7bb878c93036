// Topics that a source writes to, made where they are missing. One that is there stays as it is, whatever its partitions.
import type { MessageLog, TopicSpec } from '../log/message-log.ts'
import { exchangeOf } from '../market/exchanges.ts'
import { parseTopic } from '../market/topics.ts'

export async function ensureTopics(log: MessageLog, topics: Iterable<string>): Promise<void> {
  const there = new Set((await log.topics()).map(({ name }) => name))
  const missing = [...topics].filter(name => !there.has(name))
  if (missing.length > 0) await log.createTopics(missing.map(specOf))
}

function specOf(name: string): TopicSpec {
  const { dataType, exchange } = parseTopic(name)!
  if (dataType === 'reference_data') return { name, partitions: 1, config: { 'cleanup.policy': 'compact' } }
  return { name, partitions: exchangeOf(exchange).partitions }
}
