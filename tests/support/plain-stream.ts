// What the writer, the topics and the offsets answer with: one fixed row of everything.
import type { Handlers } from '../../src/contract/capability.ts'
import type { QueryMeta } from '../../src/contract/fields.ts'
import type { offsets } from '../../src/contract/offsets.ts'
import type { topics } from '../../src/contract/topics.ts'
import type { writer, WriterStatus } from '../../src/contract/writer.ts'

const TOPIC = 'market.equities.trades.asx'

export function plainStream(
  at: string,
  query: QueryMeta,
): Handlers<typeof writer> & Handlers<typeof offsets> & Handlers<typeof topics> {
  const letter = {
    topic: TOPIC,
    partition: 3,
    offset: '12345678901234567',
    detected_at: at,
    reason: 'undecodable',
    error: 'price: a length beyond the end of the message',
    bytes: 3,
  }
  return {
    async *'ingest.consume'() {
      yield { state: 'stopped', ...counts, rows_per_second: 2, why: null }
    },
    async *'ingest.stream'() {
      const counted = { messages: 2, trades: 1, quotes: 1, errors: 0, gaps: 0, backfilled: 0, reconnects: 0 }
      yield { state: 'stopped', ...counted, duration_seconds: 1.5, why: null }
    },
    'ingest.status': () => plainWriter,
    'deadLetters.list': () => ({ data: [letter], query }),
    'deadLetters.show': () => ({ ...letter, key: 'BHP', text: null, base64: 'SzIA' }),
    'deadLetters.replay': () => ({ tried: 3, written: 1, already_there: 1, still_bad: 1 }),
    'offsets.show': () => [{ table: 'trades', topic: TOPIC, ...place, earliest: '0', latest: '9', lag: 2 }],
    'offsets.set': ({ topic, partition }) => ({
      table: 'trades',
      topic,
      partition,
      before: '7',
      next_offset: '9',
      snapshot_id: '8123456789012345678',
    }),
    'topics.init': () => [topicRow],
    'topics.list': () => [topicRow],
  }
}

const counts = {
  messages: 9,
  rows: 7,
  commits: 1,
  dead_letters: 1,
  duplicates: 1,
  gaps: 0,
  out_of_order: 0,
  lag: 2,
  duration_seconds: 1.5,
}

const place = { partition: 3, next_offset: '7', cluster: 'c', epoch: '0' }

const topicRow = {
  topic: TOPIC,
  state: 'there' as const,
  partitions: 30,
  messages: 9,
  subject: `${TOPIC}-value`,
  schema_id: 1,
  compatibility: 'BACKWARD',
  why: null,
}

export const plainWriter: WriterStatus = {
  state: 'writing',
  ...counts,
  rows_per_second: 2,
  why: null,
  breakers: [{ name: 'kafka', state: 'closed', failures: 0, why: null }],
  topics: [{ topic: TOPIC, table: 'trades', partition: 3, committed_offset: '7', read_offset: '9', lag: 2 }],
}
