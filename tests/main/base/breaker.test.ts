// The breaker: after how many failures it opens, who passes when, and what it tells.
import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { Failure } from '../../../src/contract/failure.ts'
import { createBreaker, type BreakerOptions } from '../../../src/main/base/breaker.ts'
import { deferred } from '../../../src/main/base/deferred.ts'

const away = () => new Failure('UNAVAILABLE', 'No broker answers.')

function openBreaker(options: Partial<BreakerOptions> = {}) {
  let nowMs = 0
  const told: string[] = []
  const breaker = createBreaker({
    name: 'kafka',
    clock: { nowMs: () => nowMs },
    sleep: ms => Promise.resolve(void (nowMs += ms)),
    onChange: ({ name, previous, state }) => told.push(`${name}: ${previous} → ${state}`),
    ...options,
  })
  return {
    breaker,
    told,
    pass: (ms: number) => (nowMs += ms),
    now: () => nowMs,
    fail: async (times: number, error: () => Error = away) => {
      for (let i = 0; i < times; i++) await breaker.run(() => Promise.reject(error())).catch(() => {})
    },
    succeed: () => breaker.run(() => Promise.resolve('answer')),
  }
}

describe('a closed breaker', () => {
  it('lets everything through and hands back what comes of it', async () => {
    const { breaker, succeed } = openBreaker()
    expect(await succeed()).toBe('answer')
    const error = away()
    await expect(breaker.run(() => Promise.reject(error))).rejects.toBe(error)
    expect(breaker.state()).toBe('closed')
    expect(breaker.lastError()).toBe(error)
  })

  it('opens after five failures in a row, not after five in all', async () => {
    const { breaker, fail, succeed, told } = openBreaker()
    await fail(4)
    await succeed()
    expect(breaker.failures()).toBe(0)
    await fail(4)
    expect(breaker.state()).toBe('closed')
    await fail(1)
    expect(breaker.state()).toBe('open')
    expect(breaker.failures()).toBe(5)
    expect(told).toEqual(['kafka: closed → open'])
  })

  it('takes any answer for one, also a refusal', async () => {
    const { breaker, fail } = openBreaker()
    await fail(4)
    await fail(1, () => new Failure('CONFLICT', 'Another came first.', { retryable: true }))
    await fail(4)
    expect(breaker.state()).toBe('closed')
  })

  it('learns nothing from a bug or from a caller who left', async () => {
    const { breaker, fail } = openBreaker()
    await fail(4)
    await fail(9, () => new TypeError('a bug'))
    await fail(9, () => new Failure('CANCELLED', 'The caller went away.'))
    expect(breaker.failures()).toBe(4)
  })
})

describe('an open breaker', () => {
  it('asks nothing of the server, and says why and when it is tried again', async () => {
    const { breaker, fail, pass } = openBreaker()
    await fail(5)
    pass(10_500)
    let asked = false
    const asking = breaker.run(() => Promise.resolve((asked = true)))
    await expect(asking).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true })
    await expect(asking).rejects.toThrow(
      'Kafka failed 5 times in a row (No broker answers.); it is tried again in 20 s.',
    )
    expect(asked).toBe(false)
    expect(breaker.tryableInMs()).toBe(19_500)
  })

  it('lets one through after 30 s, and closes when that is answered', async () => {
    const { breaker, fail, pass, succeed, told } = openBreaker()
    await fail(5)
    pass(29_999)
    expect(breaker.state()).toBe('open')
    pass(1)
    const [gate, other] = [deferred<string>(), deferred<string>()]
    const probe = breaker.run(() => gate.promise)
    await expect(breaker.run(() => other.promise)).rejects.toThrow('being tried again just now')
    expect(breaker.state()).toBe('half-open')
    gate.resolve('back')
    expect(await probe).toBe('back')
    expect(await succeed()).toBe('answer')
    expect(told).toEqual(['kafka: closed → open', 'kafka: open → half-open', 'kafka: half-open → closed'])
    expect(breaker.lastError()).toBeUndefined()
  })

  it('stays open for another 30 s when the one fails', async () => {
    const { breaker, fail, pass } = openBreaker()
    await fail(5)
    pass(30_000)
    await fail(1)
    expect(breaker.state()).toBe('open')
    expect(breaker.tryableInMs()).toBe(30_000)
  })

  it('lets another through when the one left without an answer', async () => {
    const { breaker, fail, pass, succeed } = openBreaker()
    await fail(5)
    pass(30_000)
    await fail(1, () => new Failure('CANCELLED', 'The caller went away.'))
    expect(breaker.state()).toBe('half-open')
    expect(await succeed()).toBe('answer')
  })

  it('heeds nothing that began before it opened', async () => {
    const { breaker, fail, pass, succeed } = openBreaker()
    const [early, late] = [deferred<string>(), deferred<string>()]
    const answered = breaker.run(() => early.promise)
    const failed = breaker.run(() => late.promise).catch(() => 'failed')
    await fail(5)
    early.resolve('slow answer')
    expect(await answered).toBe('slow answer')
    expect(breaker.state()).toBe('open')
    pass(20_000)
    late.reject(away())
    expect(await failed).toBe('failed')
    expect(breaker.tryableInMs()).toBe(10_000)
    pass(10_000)
    await succeed()
    expect(breaker.state()).toBe('closed')
  })
})

describe('who waits for it', () => {
  it('does not wait while it is closed', async () => {
    const { breaker, now } = openBreaker()
    await breaker.waitUntilTryable()
    expect(now()).toBe(0)
  })

  it('goes on when it is half-open', async () => {
    const { breaker, fail, now } = openBreaker()
    await fail(5)
    await breaker.waitUntilTryable()
    expect(now()).toBe(30_000)
    expect(breaker.state()).toBe('half-open')
  })

  it('waits for the end of the one that is on its way', async () => {
    const { breaker, fail, pass } = openBreaker()
    await fail(5)
    pass(30_000)
    const gate = deferred<string>()
    const probe = breaker.run(() => gate.promise)
    let isTryable = false
    const waiting = breaker.waitUntilTryable().then(() => (isTryable = true))
    await new Promise(setImmediate)
    expect(isTryable).toBe(false)
    gate.resolve('back')
    await Promise.all([probe, waiting])
    expect(isTryable).toBe(true)
  })

  it('leaves with CANCELLED and no listener when aborted', async () => {
    const { breaker, fail } = openBreaker({ sleep: undefined })
    await fail(5)
    const abort = new AbortController()
    const waiting = breaker.waitUntilTryable(abort.signal)
    setImmediate(() => abort.abort())
    await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' })
    expect(getEventListeners(abort.signal, 'abort')).toHaveLength(0)
  })
})
