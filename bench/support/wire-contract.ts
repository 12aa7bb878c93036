// What the wire benchmark asks for: nothing, and a lot.
import { z } from 'zod'
import { call } from '../../src/contract/capability.ts'
import type { ColumnBatch } from '../../src/contract/columns.ts'

export const bigBatchRows = 100_000

export const wireContract = {
  nothing: call({
    summary: 'Answers at once',
    http: { method: 'GET', path: '/v1/nothing' },
    input: z.strictObject({}),
    output: z.strictObject({ ok: z.boolean() }),
  }),
  batch: call({
    summary: 'A large batch of columns',
    input: z.strictObject({}),
    output: z.custom<ColumnBatch>(value => typeof value === 'object'),
  }),
  listen: call({
    summary: 'Serve over HTTP and WebSocket as well',
    input: z.strictObject({ key: z.string() }),
    output: z.strictObject({ url: z.string() }),
  }),
}

/** Eight columns as a tape has them: time, symbol, price, quantity, side, sequence, partition, offset. */
export function bigBatch(): ColumnBatch {
  const doubles = () => Float64Array.from({ length: bigBatchRows }, (_, row) => 1.7e15 + row)
  const codes = (count: number) => Uint16Array.from({ length: bigBatchRows }, (_, row) => row % count)
  return {
    rowCount: bigBatchRows,
    columns: {
      exchange_timestamp: { type: 'timestamp', values: doubles() },
      symbol: { type: 'string', values: codes(40), words: Array.from({ length: 40 }, (_, i) => `SYM${i}`) },
      price: { type: 'decimal', scale: 2, values: doubles() },
      quantity: { type: 'decimal', scale: 0, values: doubles() },
      side: { type: 'enum', values: Uint8Array.from(codes(2)), words: ['BUY', 'SELL'] },
      source_sequence: { type: 'long', values: doubles() },
      _partition: { type: 'int', values: Int32Array.from(codes(30)) },
      _offset: { type: 'long', values: doubles() },
    },
  }
}
