import { getEventListeners } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { Failure } from '../../../src/contract/failure.ts'
import { inTime, timeLimit } from '../../../src/main/base/in-time.ts'
import { collectMemory } from '../../support/collect-memory.ts'

const never = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))))

it('gives what the work gives, and its own failure', async () => {
  expect(await inTime(60_000, () => Promise.resolve(7))).toBe(7)
  const own = new Failure('NOT_FOUND', 'nothing there')
  await expect(inTime(60_000, () => Promise.reject(own))).rejects.toBe(own)
})

it('leaves the work when its time is up, and tells it', async () => {
  let heard: AbortSignal | undefined
  const work = (signal: AbortSignal) => never((heard = signal))
  await expect(inTime(5, work)).rejects.toMatchObject({ code: 'TIMEOUT', message: 'No answer within 0.005 s.' })
  expect(heard?.aborted).toBe(true)
})

it('leaves the work when its caller goes, also one that heeds nothing, and leaves no listener behind', async () => {
  const caller = new AbortController()
  const deaf = inTime(60_000, () => new Promise<never>(() => {}), caller.signal)
  const heeding = inTime(60_000, never, caller.signal)
  caller.abort()
  await expect(deaf).rejects.toMatchObject({ code: 'CANCELLED' })
  await expect(heeding).rejects.toMatchObject({ code: 'CANCELLED' })
  expect(getEventListeners(caller.signal, 'abort')).toHaveLength(0)
})

it('limits the time of work that has more than one reason to stop, whatever memory is collected meanwhile', async () => {
  let isLate = false
  const either = (caller: AbortSignal) => AbortSignal.any([timeLimit(50), caller])
  either(new AbortController().signal).addEventListener('abort', () => (isLate = true))
  for (let i = 0; i < 10; i++) {
    await setTimeout(10)
    collectMemory()
  }
  expect(isLate).toBe(true)
})
