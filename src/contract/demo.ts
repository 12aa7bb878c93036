// The simulated market: off by default, the same for the same seed. Not on REST, which only reads.
import { z } from 'zod'
import { call } from './capability.ts'
import { instant } from './fields.ts'

export const DEMO_RATE = { min: 1, max: 200_000, default: 2_000 } as const

const status = z.strictObject({
  running: z.boolean(),
  seed: z.int(),
  rate: z.int().describe('Messages a second asked for, trades and quotes together'),
  speed: z.number().describe('Market seconds per second'),
  messages: z.int().describe('Messages produced since it was started'),
  actual_rate: z.number().describe('Messages a second over the last seconds'),
  why: z.string().nullable().describe('Why nothing can be sent just now'),
  market_time: instant.nullable().describe('Where the simulated market is'),
})
export type DemoStatus = z.infer<typeof status>

export const demo = {
  'demo.start': call({
    summary: 'Start the simulated market, or change its rate while it runs',
    input: z.strictObject({
      seed: z
        .int()
        .min(0)
        .max(2 ** 31)
        .default(2026)
        .describe('The same seed gives the same market'),
      rate: z
        .int()
        .min(DEMO_RATE.min)
        .max(DEMO_RATE.max)
        .default(DEMO_RATE.default)
        .describe('Messages a second, trades and quotes together'),
      speed: z.number().min(0.1).max(1000).default(1).describe('Market seconds per second'),
    }),
    output: status,
    errors: ['UNAVAILABLE', 'FORBIDDEN'],
  }),
  'demo.stop': call({
    summary: 'Stop the simulated market; what it produced stays',
    input: z.strictObject({}),
    output: status,
    errors: ['UNAVAILABLE'],
  }),
  'demo.status': call({
    summary: 'What the simulated market is doing',
    input: z.strictObject({}),
    output: status,
    errors: ['UNAVAILABLE'],
  }),
}
