// The live view as queries in another process ask for it: internal capabilities over the port between them.
import { z } from 'zod'
import { call } from '../../contract/capability.ts'
import type { ColumnBatch } from '../../contract/columns.ts'
import { dataType } from '../../contract/fields.ts'
import type { OffsetVector } from '../market/topic-offsets.ts'
import type { FreshSymbols } from './fresh-symbols.ts'
import type { Lacking } from './rows-from.ts'

/** Both ends are of this program, and values are large: what they are is not looked into. */
const given = <T>() => z.custom<T>(value => typeof value === 'object' && value !== null)

/** What the live view holds that a snapshot lacks, up to where it was at one moment. */
export interface FreshRows {
  /** The newest of them, ascending in the total order. */
  rows: ColumnBatch
  /** Where it was: what came later is not in the rows. */
  next: OffsetVector
  /** Messages from the boundary on that it does not hold. */
  lacking: readonly Lacking[]
  /** From where on it holds every message, by partition: a boundary that is not below is answered whole. */
  holdsFrom: OffsetVector
  /** When the log took in the newest row it has, of any instrument. */
  newestMicros: number | undefined
  isRunning: boolean
  /** Whether it has read what the log held when it began. */
  isCaughtUp: boolean
}

export const tailContract = {
  'tail.fresh': call({
    summary: 'What the live view holds from these offsets on',
    input: z.strictObject({
      data_type: dataType,
      boundary: given<OffsetVector>(),
      symbols: z.array(z.string()).optional(),
      exchange: z.string().optional(),
      since_micros: z.number().optional(),
      until_micros: z.number().optional(),
      before: given<OffsetVector>().optional(),
      limit: z.int().min(1),
      columns: z
        .array(z.string())
        .optional()
        .describe('All when left out; where those that are held ready will do, no message is read again'),
    }),
    output: given<FreshRows>(),
    errors: ['UNAVAILABLE'],
  }),
  'tail.freshSymbols': call({
    summary: 'Which instruments the live view holds rows of from these offsets on, and how many',
    input: z.strictObject({ data_type: dataType, boundary: given<OffsetVector>() }),
    output: given<FreshSymbols & Pick<FreshRows, 'next' | 'holdsFrom' | 'newestMicros'>>(),
    errors: ['UNAVAILABLE'],
  }),
}
