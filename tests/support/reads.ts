// The reads of a lake as callers have them: asked by name, checked by the contract on their way in and out.
import type { Client } from '../../src/contract/capability.ts'
import { reads } from '../../src/contract/reads.ts'
import { systemClock } from '../../src/main/base/clock.ts'
import type { Lake } from '../../src/main/lake/lake.ts'
import { dateRangeHandlers } from '../../src/main/query/reads/date-range.ts'
import { readHandlers, type ReadOptions } from '../../src/main/query/reads/handlers.ts'
import { connectDirect } from '../../src/main/wire/direct.ts'
import { createDispatch } from '../../src/main/wire/dispatch.ts'
import { noSession, queryParts } from './query.ts'

export async function testReads(lake: Lake, options: Partial<ReadOptions> = {}): Promise<Client<typeof reads>> {
  const tools = {
    ...(await queryParts(lake)),
    live: () => Promise.reject(new Error('no live view')),
    clock: systemClock,
  }
  const handlers = {
    ...readHandlers(tools, { cursorKey: Buffer.alloc(32, 7), ...options }),
    ...dateRangeHandlers(tools, noSession),
  }
  return connectDirect(reads, createDispatch(reads, handlers, { checkAnswers: true }))
}
