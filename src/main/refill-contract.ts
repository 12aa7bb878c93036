// What the writer asks of the live half through main: a source may still have what is missing in a sequence.
import { z } from 'zod'
import { call } from '../contract/capability.ts'

export const refillContract = {
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
