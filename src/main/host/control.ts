// What main asks of an engine process beside its share of the public contract.
import { z } from 'zod'
import { call } from '../../contract/capability.ts'

/** How a process is doing, as it says itself; `metrics` is prom-client's JSON, merged by main. */
export interface Vitals {
  pid: number
  residentMb: number
  loopDelayP99Ms: number
  metrics: object[]
}

export const control = {
  'engine.start': call({
    summary: 'Compose the engines from this configuration; the first thing said to a process',
    input: z.strictObject({ options: z.unknown() }),
    output: z.strictObject({ pid: z.int() }),
  }),
  'engine.vitals': call({
    summary: 'Memory, event-loop delay and metrics of this process',
    input: z.strictObject({}),
    output: z.custom<Vitals>(value => typeof value === 'object'),
  }),
  'engine.close': call({
    summary: 'Stop intake, flush, close; the process ends afterwards',
    input: z.strictObject({}),
    output: z.strictObject({ unfinished: z.array(z.string()) }),
  }),
}
