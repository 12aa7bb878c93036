// The rows of tables as files, however many they are. Reads are asked for them where a `format` other than JSON is given.
import { z } from 'zod'
import { stream } from './capability.ts'
import { pastState } from './fields.ts'
import { reads } from './reads.ts'
import { fileFormat } from './sql.ts'

const file = {
  limit: z.int().min(1).optional().describe('How many rows at the most; all when left out'),
  format: fileFormat,
}
const bytes = z.custom<Uint8Array>(value => value instanceof Uint8Array, 'bytes')

/** What a read is asked with, without its pages: a file has all of them. */
const ROWS = {
  symbols: true,
  exchanges: true,
  start_time: true,
  end_time: true,
  min_price: true,
  max_price: true,
  min_quantity: true,
  fields: true,
  order: true,
  replay_session: true,
} as const

export const exports = {
  'trades.export': stream({
    summary: 'Trades of many instruments as a file',
    input: reads['trades.query'].input.pick({ ...ROWS, sides: true }).extend({ ...file, ...pastState }),
    output: bytes,
    errors: reads['trades.query'].errors,
  }),
  'quotes.export': stream({
    summary: 'Quotes of many instruments as a file',
    input: reads['quotes.query'].input.pick(ROWS).extend({ ...file, ...pastState }),
    output: bytes,
    errors: reads['quotes.query'].errors,
  }),
  'snapshots.export': stream({
    summary: 'Rows of any table as it was at a snapshot, as a file',
    input: reads['snapshots.query'].input.pick({ ...ROWS, sides: true, id: true, table: true }).extend(file),
    output: bytes,
    errors: reads['snapshots.query'].errors,
  }),
}
