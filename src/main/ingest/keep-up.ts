// Where the log is by now in the topics of a table: in those that are written, and in those that cannot be.
import type { Failure } from '../../contract/failure.ts'
import type { MessageLog, PartitionRange, TopicInfo } from '../log/message-log.ts'
import { offsetIn, type OffsetVector } from '../market/topic-offsets.ts'
import { checkEpoch, rangesIfThere } from './open-topics.ts'
import { learnRanges, newPlace, type TopicStream } from './places.ts'
import { movedTo } from './vectors.ts'
import type { TableWriter } from './write-table.ts'

/** How far a topic is, without what reading it takes. */
export type TopicPlaces = Pick<TopicStream, 'topic' | 'cluster' | 'epoch' | 'places'>

export interface EndedTopics {
  /** What a stream that has ended leaves, and how far the log was in the table by its word. */
  add: (streams: Iterable<TopicStream>, said: OffsetVector) => void
  /** Of these, or of all, it is not known any more how far they are: they are written again, or by somebody else. */
  forget: (topics?: Iterable<string>) => void
  all: () => TopicPlaces[]
  /** Where the log cannot be asked it is left as it was. */
  keepUp: (topics: readonly TopicInfo[]) => Promise<void>
}

/** Ends the stream of a topic that was made anew. */
export async function keepUp(
  log: Pick<MessageLog, 'ranges'>,
  { streams, fail, learnTopics }: TableWriter,
  topics: readonly TopicInfo[],
): Promise<void> {
  const there = new Map(topics.map(info => [info.name, info]))
  const known = streams().filter(({ topic }) => there.has(topic))
  try {
    for (const stream of known) checkEpoch(stream, there.get(stream.topic)!.epoch)
  } catch (error) {
    return fail(error as Failure)
  }
  // After it, as a topic that is back is read on at once.
  learnTopics(new Set(there.keys()))
  for (const stream of known) {
    const ranges = await rangesIfThere(log, stream.topic)
    if (ranges) learnRanges(stream, ranges)
  }
}

/** What comes in while nobody writes is lag, until somebody has mended what the stream ended with. */
export function createEndedTopics(log: Pick<MessageLog, 'cluster' | 'ranges'>): EndedTopics {
  const byTopic = new Map<string, TopicPlaces>()
  let said: OffsetVector = []

  const isKnown = (topic: string) => byTopic.has(topic) || said.some(own => own.topic === topic)

  async function learn({ name: topic, epoch }: TopicInfo): Promise<void> {
    const [cluster, ranges] = await Promise.all([log.cluster(), rangesIfThere(log, topic)])
    // Forgotten meanwhile, or gone.
    if (!ranges || !isKnown(topic)) return
    const life = { cluster, epoch, topic }
    const last = byTopic.get(topic)
    const isSameLife = last?.cluster === cluster && last.epoch === epoch
    const places = ranges.map(range => {
      const before = last?.places.get(range.partition)
      if (before && isSameLife) return [range.partition, { ...before, ...endsOf(range) }] as const
      const committed = offsetIn(said, life, range.partition)
      return [range.partition, { ...newPlace(range), committed, committedMicros: before?.committedMicros }] as const
    })
    byTopic.set(topic, { ...life, places: new Map(places) })
  }

  return {
    add(streams, now) {
      for (const { topic, cluster, epoch, places } of streams) byTopic.set(topic, { topic, cluster, epoch, places })
      said = movedTo(said, now)
    },
    forget(topics = [...byTopic.keys(), ...said.map(({ topic }) => topic)]) {
      const gone = new Set(topics)
      for (const topic of gone) byTopic.delete(topic)
      said = said.filter(({ topic }) => !gone.has(topic))
    },
    all: () => [...byTopic.values()],
    async keepUp(topics) {
      await Promise.allSettled(topics.filter(({ name }) => isKnown(name)).map(learn))
    },
  }
}

const endsOf = ({ earliest, latest }: PartitionRange) => ({ earliest, latest })
