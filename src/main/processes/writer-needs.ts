// What the writer asks of the live half, and tells it, through main: a source may still have what is missing in a sequence,
// and what is in the tables need not stay in memory.
import { z } from 'zod'
import { call } from '../../contract/capability.ts'
import { dataType } from '../../contract/fields.ts'
import type { OffsetVector } from '../market/topic-offsets.ts'

export const writerNeeds = {
  'tail.committed': call({
    summary: 'Note how far the log is in a table now',
    input: z.strictObject({
      table: dataType,
      /** Of the topics in it, all that is in the table. */
      offsets: z.custom<OffsetVector>(value => Array.isArray(value)),
    }),
    output: z.strictObject({}),
  }),
  'gaps.refill': call({
    summary: 'Fetch once more what is missing of an instrument, if a source that runs can',
    input: z.strictObject({
      exchange: z.string(),
      symbol: z.string(),
      data_type: z.enum(['trades', 'quotes']),
      from: z.int().describe('First number that is missing'),
      to: z.int().describe('Last one'),
    }),
    output: z.strictObject({ requested: z.int().describe('Numbers that are fetched now; 0 where nobody can') }),
  }),
}
