// A small contract whose capabilities show every way a request can go; the transports are judged on it.
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { call, stream, type Handlers } from '../../src/contract/capability.ts'
import type { ColumnBatch } from '../../src/contract/columns.ts'
import { Failure } from '../../src/contract/failure.ts'
import { answer, batchOf } from '../../src/contract/fields.ts'
import type { TableSpec } from '../../src/contract/tables.ts'

const ticks: TableSpec = {
  name: 'ticks',
  columns: [
    { name: 'symbol', type: 'string', required: true, about: 'Instrument' },
    { name: 'at', type: 'timestamp', required: true, about: 'When' },
    { name: 'price', type: 'decimal', required: false, about: 'Price' },
    { name: 'sequence', type: 'long', required: false, about: 'Sequence' },
  ],
}

/** Three rows that need care on every wire: a null, a decimal beyond a double, a 64-bit integer beyond 2^53. */
export function tickBatch(): ColumnBatch {
  return {
    rowCount: 3,
    columns: {
      symbol: { type: 'string', values: Uint16Array.of(0, 1, 0), words: ['BHP', 'ÆØ "å"'] },
      at: { type: 'timestamp', values: Float64Array.of(1.7e15, 1.7e15 + 1, 1.7e15 + 123_456) },
      price: {
        type: 'decimal',
        scale: 8,
        values: BigInt64Array.of(123_456_789_012_345_678n, 0n, -1n),
        nulls: Uint8Array.of(0, 1, 0),
      },
      sequence: { type: 'long', values: BigInt64Array.of(9_007_199_254_740_993n, 2n, 3n) },
    },
  }
}

export const tickRows = [
  { symbol: 'BHP', at: '2023-11-14T22:13:20.000000Z', price: '1234567890.12345678', sequence: '9007199254740993' },
  { symbol: 'ÆØ "å"', at: '2023-11-14T22:13:20.000001Z', price: null, sequence: '2' },
  { symbol: 'BHP', at: '2023-11-14T22:13:20.123456Z', price: '-0.00000001', sequence: '3' },
]

const fields = z.strictObject({
  text: z.string().min(1).describe('Any text'),
  count: z.int().min(1).max(10).default(3).describe('How many'),
  loud: z.boolean().default(false).describe('Whether to shout'),
  names: z.array(z.string()).max(3).optional().describe('Names'),
})

export const sample = {
  'sample.echo': call({
    summary: 'Gives back what it was given',
    http: { method: 'GET', path: '/v1/echo' },
    cli: { command: 'query echo' },
    input: fields,
    output: fields,
  }),
  'sample.ticks': call({
    summary: 'Columns and 64-bit values',
    http: { method: 'POST', path: '/v1/ticks' },
    input: z.strictObject({}),
    output: answer(batchOf(ticks)),
  }),
  'sample.fail': call({
    summary: 'Fails as its contract says',
    http: { method: 'GET', path: '/v1/fail/{what}' },
    input: z.strictObject({ what: z.string() }),
    output: z.strictObject({}),
    errors: ['NOT_FOUND'],
  }),
  'sample.bug': call({
    summary: 'Throws what nobody expected',
    http: { method: 'GET', path: '/v1/bug' },
    input: z.strictObject({}),
    output: z.strictObject({}),
  }),
  'sample.wait': call({
    summary: 'Waits until its caller gives up',
    http: { method: 'GET', path: '/v1/wait' },
    input: z.strictObject({}),
    output: z.strictObject({}),
  }),
  'sample.count': stream({
    summary: 'Counts in batches',
    http: { method: 'GET', path: '/v1/count' },
    input: z.strictObject({
      to: z.int().min(0).default(1000),
      after: z.string().optional(),
      pause_ms: z.int().min(0).default(0),
      fail_at: z.int().optional(),
      wide: z.int().min(0).default(0).describe('Size of each batch'),
    }),
    output: z.strictObject({ n: z.int(), cursor: z.string(), ballast: z.string() }),
    errors: ['UNAVAILABLE'],
  }),
}

/** What happened on the serving side. */
export interface Witness {
  produced: number
  cleaned: number
  aborted: number
  running: number
}

export function sampleHandlers(witness: Witness): Handlers<typeof sample> {
  return {
    'sample.echo': input => input,
    'sample.ticks': () => ({
      data: tickBatch(),
      query: {
        ms: 0.1,
        engine: 'tail' as const,
        snapshot_id: null,
        sources: { tail: { rows: 3, ms: 0.1 } },
        watermark: null,
        freshness_ms: null,
        partial: false,
        why: null,
      },
    }),
    'sample.fail': ({ what }) => {
      throw new Failure('NOT_FOUND', `There is no ${what}.`, { details: { what, known: ['a', 'b'] } })
    },
    'sample.bug': () => {
      throw new TypeError('secret internals at 0xdeadbeef')
    },
    async 'sample.wait'(_input, { signal }) {
      witness.running++
      await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
      witness.aborted++
      witness.running--
      return {}
    },
    async *'sample.count'({ to, after, pause_ms, fail_at, wide }, { signal }) {
      witness.running++
      try {
        for (let n = after === undefined ? 0 : Number(after) + 1; n < to; n++) {
          if (n === fail_at) throw new Failure('UNAVAILABLE', `The counter broke at ${n}.`, { details: { n } })
          if (pause_ms) await sleep(pause_ms, undefined, { signal })
          witness.produced++
          yield { n, cursor: String(n), ballast: 'x'.repeat(wide) }
        }
      } finally {
        witness.cleaned++
        witness.running--
      }
    },
  }
}

export function newWitness(): Witness {
  return { produced: 0, cleaned: 0, aborted: 0, running: 0 }
}
