// Recent rows while the process of history is away.
import { expect, it, vi } from 'vitest'
import type { Context } from '../../src/contract/capability.ts'
import { Failure } from '../../src/contract/failure.ts'
import { recentAnyway } from '../../src/main/recent-anyway.ts'
import { plainHandlers } from '../support/plain-handlers.ts'

const context: Context = { signal: new AbortController().signal, correlationId: 'test', door: 'direct' }
const input = { symbol: 'BHP', exchange: 'ASX', window_minutes: 15, limit: 10 }
const away = new Failure('UNAVAILABLE', 'The history process is restarting; ask again in a moment.')

const handlersOf = (failure?: Failure) => {
  const { 'trades.recent': trades, 'quotes.recent': quotes, 'symbols.list': symbols } = plainHandlers()
  const answer = vi.fn(failure ? () => Promise.reject(failure) : trades)
  return { answer, handlers: { 'trades.recent': answer, 'quotes.recent': quotes, 'symbols.list': symbols } }
}

it('come from the live view alone', async () => {
  const [whole, live] = [handlersOf(away), handlersOf()]
  const answer = await recentAnyway(whole.handlers, live.handlers)['trades.recent'](input, context)
  expect(answer.query.engine).toBe('tail')
  expect(live.answer).toHaveBeenCalledWith(input, context)
})

it('are not asked of the live view when history answers, or when the question was wrong', async () => {
  const [whole, wrong, live] = [handlersOf(), handlersOf(new Failure('INVALID_INPUT', 'no')), handlersOf()]
  await recentAnyway(whole.handlers, live.handlers)['trades.recent'](input, context)
  const asked = recentAnyway(wrong.handlers, live.handlers)['trades.recent'](input, context)
  await expect(asked).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  expect(live.answer).not.toHaveBeenCalled()
})

it.each([{ min_offsets: 't:0:1' }, { receipt: true }])('are not given for what needs the tables: %o', async more => {
  const [whole, live] = [handlersOf(away), handlersOf()]
  const asked = recentAnyway(whole.handlers, live.handlers)['trades.recent']({ ...input, ...more }, context)
  await expect(asked).rejects.toBe(away)
  expect(live.answer).not.toHaveBeenCalled()
})

it('are refused with the first reason when the live view is away too', async () => {
  const [whole, live] = [handlersOf(away), handlersOf(new Failure('UNAVAILABLE', 'No live view.'))]
  const asked = recentAnyway(whole.handlers, live.handlers)['trades.recent'](input, context)
  await expect(asked).rejects.toBe(away)
})
