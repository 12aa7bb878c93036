// What the process that reads another's log is asked: a test instrument.
import { z } from 'zod'
import { call, stream } from '../../src/contract/capability.ts'

export const readerContract = {
  'reader.follow': stream({
    summary: 'The texts of a topic, from these offsets on, across restarts of the log',
    input: z.strictObject({ topic: z.string() }),
    output: z.array(z.string()),
  }),
  'reader.count': call({
    summary: 'Reads so many messages and tells what that took here',
    input: z.strictObject({ topic: z.string(), count: z.int() }),
    output: z.strictObject({ messages: z.int(), cpuMs: z.number(), elapsedMs: z.number() }),
  }),
}
