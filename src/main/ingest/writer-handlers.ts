// The writer's slice of the contract: the one that runs by itself, and those that are started for as long as somebody asks.
import type { Handlers } from '../../contract/capability.ts'
import { Failure } from '../../contract/failure.ts'
import type { writer, WriterStatus } from '../../contract/writer.ts'
import type { WriterSettings } from './writer-options.ts'
import type { Writer } from './writer.ts'

export interface WriterHandlersOptions {
  /** A writer with these in the place of what is configured. */
  start: (asked: Partial<WriterSettings>) => Promise<Writer> | Writer
  /** The one that runs by itself; undefined where K2 writes nothing. */
  running: () => Writer | undefined
}

export function writerHandlers(
  options: WriterHandlersOptions,
): Pick<Handlers<typeof writer>, 'ingest.consume' | 'ingest.status'> {
  let asked: Writer | undefined
  return {
    async *'ingest.consume'(input, { signal }) {
      const { topic, topic_pattern: pattern, group, max_messages: maxMessages } = input
      if (topic !== undefined && pattern !== undefined)
        throw new Failure(
          'INVALID_INPUT',
          'topic (--topic) and topic_pattern (--topic-pattern) exclude each other; give one of them.',
        )
      const writer = await options.start({
        ...(topic !== undefined && { topics: [topic], pattern: undefined }),
        ...(pattern !== undefined && { topics: [], pattern }),
        ...(group !== undefined && { group }),
        maxMessages,
        onGap: input.on_gap,
        onDeadLetter: input.on_dead_letter,
        whenFenced: 'fail',
      })
      asked = writer
      try {
        yield* writer.progress(signal)
        if (!signal.aborted) return
        const { unfinished, progress } = await writer.stop()
        yield { ...progress, why: unfinished.length > 0 ? unfinished.join(' ') : progress.why }
      } finally {
        await writer.stop()
      }
    },
    'ingest.status': () => (options.running() ?? asked)?.status() ?? OFF,
  }
}

const OFF: WriterStatus = {
  state: 'off',
  messages: 0,
  rows: 0,
  commits: 0,
  dead_letters: 0,
  duplicates: 0,
  gaps: 0,
  out_of_order: 0,
  lag: 0,
  duration_seconds: 0,
  rows_per_second: 0,
  why: 'This K2 only reads, as K2_WRITER is off. Set it to auto or on to have it write.',
  breakers: [],
  topics: [],
}
