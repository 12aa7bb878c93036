// Trying again: how often, how long apart, and what is never tried again.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Failure } from '../../../src/contract/failure.ts'
import { backoffMs, isTransient, retry, type RetryOptions } from '../../../src/main/base/retry.ts'

const away = () => new Failure('UNAVAILABLE', 'The server is away.')

/** Fails with these, one after the other, then gives the number of the try. */
async function tryWork(errors: Error[], options: RetryOptions = {}) {
  const waits: number[] = []
  const tries: number[] = []
  const sleep = (ms: number) => Promise.resolve(void waits.push(ms))
  const result = await retry(
    attempt => {
      tries.push(attempt)
      return errors.length >= attempt ? Promise.reject(errors[attempt - 1]) : Promise.resolve(attempt)
    },
    { sleep, ...options },
  ).catch((error: unknown) => error)
  return { result, waits, tries }
}

describe('retry', () => {
  it('gives what the first try gives, without a wait', async () => {
    expect(await tryWork([])).toEqual({ result: 1, waits: [], tries: [1] })
  })

  it('tries three times, waiting twice as long each time, and tells each', async () => {
    const told: unknown[] = []
    const errors = [away(), away()]
    const { result, waits } = await tryWork(errors, { onRetry: retry => told.push(retry) })
    expect(result).toBe(3)
    expect(waits[0]).toBeGreaterThanOrEqual(50)
    expect(waits[0]).toBeLessThanOrEqual(100)
    expect(waits[1]).toBeGreaterThanOrEqual(100)
    expect(waits[1]).toBeLessThanOrEqual(200)
    expect(told).toEqual(waits.map((waitMs, i) => ({ attempt: i + 1, error: errors[i], waitMs })))
  })

  it('gives up after the last try with its error', async () => {
    const errors = Array.from({ length: 9 }, away)
    const { result, tries } = await tryWork(errors, { tries: 4 })
    expect(result).toBe(errors[3])
    expect(tries).toEqual([1, 2, 3, 4])
  })

  it('fails at once with what will not pass', async () => {
    for (const error of [new Failure('CORRUPT', 'It is damaged.'), new TypeError('a bug')])
      expect(await tryWork([error])).toEqual({ result: error, waits: [], tries: [1] })
  })

  it('stops waiting when its caller leaves, and tries no more', async () => {
    const abort = new AbortController()
    const options = { signal: abort.signal, firstMs: 60_000, mostMs: 60_000, sleep: undefined }
    const trying = tryWork([away()], { ...options, onRetry: () => setImmediate(() => abort.abort()) })
    expect(await trying).toMatchObject({ result: { code: 'CANCELLED' }, tries: [1] })
    expect(await tryWork([], { signal: abort.signal })).toMatchObject({ result: { code: 'CANCELLED' }, tries: [] })
  })

  it('never waits longer than it may, nor less than half of that', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 1, max: 1000 }), (failures, firstMs) => {
        const ms = backoffMs(failures, firstMs, 10_000)
        expect(ms).toBeLessThanOrEqual(10_000)
        expect(ms).toBeGreaterThanOrEqual(Math.min(10_000, firstMs * 2 ** (failures - 1)) / 2)
      }),
    )
  })
})

it.each([
  ['UNAVAILABLE', true],
  ['TIMEOUT', true],
  ['CONFLICT', false],
  ['FENCED', false],
  ['CORRUPT', false],
  ['CANCELLED', false],
  ['INTERNAL', false],
] as const)('takes %s for something that passes: %s', (code, passes) => {
  expect(isTransient(new Failure(code, 'It failed.'))).toBe(passes)
})

it('takes a conflict for something that passes when it says so', () => {
  expect(isTransient(new Failure('CONFLICT', 'Another came first.', { retryable: true }))).toBe(true)
  expect(isTransient(new Error('ECONNRESET'))).toBe(false)
})
