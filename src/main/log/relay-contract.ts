// The log of one process as another process asks for it: internal capabilities over the port between them.
import { z } from 'zod'
import { call, stream } from '../../contract/capability.ts'
import type { PartitionRange, Produced, StartAt, TopicInfo, TopicSpec } from './message-log.ts'
import type { PackedBatches } from './pack-batches.ts'

/** Both ends are of this program, and values are large: what they are is not looked into. */
const given = <T>() => z.custom<T>(value => typeof value === 'object' && value !== null)
const topic = z.string()

export const logContract = {
  'log.cluster': call({
    summary: "Identity of the log's offsets",
    input: z.strictObject({}),
    output: z.string(),
    errors: ['UNAVAILABLE'],
  }),
  'log.topics': call({
    summary: 'Its topics',
    input: z.strictObject({}),
    output: given<TopicInfo[]>(),
    errors: ['UNAVAILABLE'],
  }),
  'log.createTopics': call({
    summary: 'Create the topics that are missing',
    input: z.strictObject({ specs: given<TopicSpec[]>() }),
    output: z.strictObject({}),
    errors: ['UNAVAILABLE', 'CONFLICT', 'INVALID_INPUT'],
  }),
  'log.append': call({
    summary: 'Append messages to a topic',
    input: z.strictObject({ topic, messages: given<Produced>() }),
    output: z.strictObject({}),
    errors: ['UNAVAILABLE', 'NOT_FOUND', 'PAYLOAD_TOO_LARGE'],
  }),
  'log.ranges': call({
    summary: 'Which offsets its partitions hold',
    input: z.strictObject({ topic }),
    output: given<PartitionRange[]>(),
    errors: ['UNAVAILABLE', 'NOT_FOUND'],
  }),
  'log.offsetsAt': call({
    summary: 'The first offset of each partition that is not older than a time',
    input: z.strictObject({ topic, micros: z.number() }),
    output: given<Map<number, number>>(),
    errors: ['UNAVAILABLE', 'NOT_FOUND'],
  }),
  'log.read': stream({
    summary: 'Messages of these topics from these offsets on, many small batches in one',
    input: z.strictObject({
      /** For each topic where each partition is read from. */
      from: given<Map<string, StartAt[]>>(),
      maxBytes: z.int().min(1),
    }),
    output: given<PackedBatches>(),
    errors: ['UNAVAILABLE', 'NOT_FOUND', 'OFFSET_OUT_OF_RANGE'],
  }),
  'log.noteProgress': call({
    summary: 'How far a reader is',
    input: z.strictObject({ group: z.string(), topic, next: z.record(z.string(), z.number()) }),
    output: z.strictObject({}),
    errors: ['UNAVAILABLE', 'NOT_FOUND'],
  }),
}
