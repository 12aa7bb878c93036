// What the page of the shell's smoke test asks for: an answer, a failure, columns, and something that does not end.
import { z } from 'zod'
import { call, stream, type Handlers } from '../../src/contract/capability.ts'
import { isColumnBatch, type ColumnBatch } from '../../src/contract/columns.ts'

export const shellContract = {
  'shell.echo': call({
    summary: 'Gives back what it was given',
    input: z.strictObject({ text: z.string().min(1) }),
    output: z.strictObject({ text: z.string() }),
  }),
  'shell.fail': call({
    summary: 'Fails',
    input: z.strictObject({}),
    output: z.strictObject({}),
    errors: ['NOT_FOUND'],
  }),
  'shell.wait': call({ summary: 'Waits for its caller', input: z.strictObject({}), output: z.strictObject({}) }),
  'shell.ticks': stream({
    summary: 'Columns, batch by batch',
    input: z.strictObject({ batches: z.int() }),
    output: z.custom<ColumnBatch>(isColumnBatch),
  }),
}
export type ShellHandlers = Handlers<typeof shellContract>
