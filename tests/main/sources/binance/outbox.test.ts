// Between a stream that does not wait and a log that comes and goes: nothing is lost, doubled, or out of order.
import { setTimeout } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished, vi, type TestContext } from 'vitest'
import { Failure } from '../../../../src/contract/failure.ts'
import { endValue, putText } from '../../../../src/main/market/value-buffer.ts'
import type { Produced } from '../../../../src/main/log/message-log.ts'
import { createOutbox, type Outbox, type OutboxOptions } from '../../../../src/main/sources/binance/outbox.ts'
import { createSpill, type Spill, type SpillOptions } from '../../../../src/main/sources/binance/spill.ts'
import { makeTempFolder } from '../../../support/temp-folder.ts'
import { DISKS, NO_MOUNT, smallDisk } from './small-disk.ts'

const SOON = { timeout: 10_000, interval: 5 }
const away = () => new Failure('UNAVAILABLE', 'No broker answers.')

/** A log in memory: what it holds is the keys, by topic. */
function memoryLog() {
  const held = new Map<string, string[]>()
  const take = (topic: string, { count, keys }: Produced) =>
    void held.set(topic, [...(held.get(topic) ?? []), ...keys.slice(0, count)])
  return { held, take, of: (topic: string) => held.get(topic) ?? [] }
}

async function open(append: OutboxOptions['append'], folder = makeTempFolder(), maxBytes = 1e8) {
  return openOn(await createSpill({ folder, maxBytes }), append)
}

function openOn(spill: Spill, append: OutboxOptions['append']) {
  let spilled = 0
  const troubles: (string | undefined)[] = []
  const outbox = createOutbox({
    append,
    spill,
    patienceMs: 50,
    // However often in a row it is refused, no test waits long.
    retryMs: { first: 20, most: 100 },
    onSpilled: messages => (spilled += messages),
    onTrouble: trouble => troubles.push(trouble?.message),
  })
  let isClosed = false
  const close = () => {
    isClosed = true
    return outbox.close()
  }
  onTestFinished(async () => {
    if (!isClosed) await close()
  })
  return { outbox, spill, spilled: () => spilled, troubles, close }
}

function put(outbox: Outbox, topic: string, ...keys: string[]): void {
  for (const key of keys) {
    const { keys: all, values } = outbox.batchOf(topic)
    putText(values, `value of ${key}`)
    endValue(values)
    all.push(key)
  }
  outbox.ring()
}

const numbered = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => String(from + i))

it('hands messages on as they come, and writes nothing to the disk', async () => {
  const log = memoryLog()
  const { outbox, spilled, close } = await open(async (topic, messages) => log.take(topic, messages))
  for (let i = 0; i < 20; i++) {
    put(outbox, 'a', String(i))
    if (i % 3 === 0) await setTimeout(1)
  }
  expect(await close()).toEqual({ onDisk: 0, lost: 0 })
  expect(log.of('a')).toEqual(numbered(0, 20))
  expect(spilled()).toBe(0)
})

it('keeps on the disk what comes while the log is away, and hands it on first when it is back', async () => {
  const log = memoryLog()
  let isAway = true
  const { outbox, spill, spilled, troubles } = await open(async (topic, messages) => {
    if (isAway) throw away()
    log.take(topic, messages)
  })
  for (let i = 0; i < 50; i++) {
    put(outbox, i % 2 === 0 ? 'a' : 'b', String(i))
    await setTimeout(4)
  }
  await vi.waitFor(() => expect(spill.count()).toBe(50), SOON)
  expect(outbox.isFull()).toBe(false)
  isAway = false
  put(outbox, 'a', '50')
  await vi.waitFor(() => expect(log.of('a')).toEqual(numbered(0, 51).filter((_, i) => i % 2 === 0)), SOON)
  expect(log.of('b')).toEqual(numbered(0, 50).filter((_, i) => i % 2 === 1))
  expect(spilled()).toBeGreaterThanOrEqual(50)
  expect(troubles).toEqual(['No broker answers.', undefined])
})

it('goes on over a restart with what the log has not taken', async () => {
  const log = memoryLog()
  const folder = makeTempFolder()
  const first = await open(() => Promise.reject(away()), folder)
  put(first.outbox, 'a', ...numbered(0, 10))
  await vi.waitFor(() => expect(first.spill.count()).toBe(10), SOON)
  put(first.outbox, 'a', ...numbered(10, 12))
  expect(await first.close()).toEqual({ onDisk: 12, lost: 0 })
  const second = await open(async (topic, messages) => log.take(topic, messages), folder)
  put(second.outbox, 'a', '12')
  await vi.waitFor(() => expect(log.of('a')).toEqual(numbered(0, 13)), SOON)
})

it('tells when what was put is in the log, or on the disk before it', async () => {
  const log = memoryLog()
  let isAway = false
  const { outbox, spill, close } = await open(async (topic, messages) => {
    await setTimeout(20)
    if (isAway) throw away()
    log.take(topic, messages)
  })
  await outbox.settled()
  put(outbox, 'a', '0', '1')
  await outbox.settled()
  expect(log.of('a')).toEqual(['0', '1'])
  isAway = true
  put(outbox, 'a', '2')
  await outbox.settled()
  put(outbox, 'b', '3')
  await outbox.settled()
  expect(spill.count()).toBe(2)
  const late = outbox.settled()
  await close()
  await late
  await outbox.settled()
})

it('does not send again what the log takes late', async () => {
  const log = memoryLog()
  let waitMs = 300
  const { outbox, spill, spilled } = await open(async (topic, messages) => {
    await setTimeout(waitMs)
    log.take(topic, messages)
  })
  put(outbox, 'a', ...numbered(0, 5))
  await vi.waitFor(() => expect(spill.count()).toBe(5), SOON)
  put(outbox, 'a', ...numbered(5, 9))
  waitMs = 0
  await vi.waitFor(() => expect(log.of('a')).toEqual(numbered(0, 9)), SOON)
  expect(spilled()).toBe(9)
})

it('says that it is full when neither takes more, and loses nothing of what it has', async () => {
  const log = memoryLog()
  let isAway = true
  const append = async (topic: string, messages: Produced) => {
    if (isAway) throw away()
    log.take(topic, messages)
  }
  const { outbox } = await open(append, makeTempFolder(), 2000)
  let count = 0
  while (!outbox.isFull() && count < 500) {
    put(outbox, 'a', String(count++))
    await setTimeout(1)
  }
  expect(count).toBeLessThan(500)
  isAway = false
  await vi.waitFor(() => expect(outbox.isFull()).toBe(false), SOON)
  await vi.waitFor(() => expect(log.of('a')).toEqual(numbered(0, count)), SOON)
})

describe.each(DISKS)('a disk that is full, and stays so (%s)', kind => {
  async function openFull(context: TestContext, fillBut: number) {
    const disk = smallDisk(kind)
    if (!disk) return context.skip(NO_MOUNT)
    const log = memoryLog()
    const state: { why?: Failure; delayMs: number } = { why: away(), delayMs: 0 }
    const options: SpillOptions = { folder: disk.folder, maxBytes: 1e8, open: disk.open }
    const opened = openOn(await createSpill(options), async (topic, messages) => {
      await setTimeout(state.delayMs)
      if (state.why) throw state.why
      log.take(topic, messages)
    })
    disk.fillBut(fillBut)
    return { ...opened, log, state, disk }
  }

  it('gives all it holds to a log that is back, takes more then, and the log has everything once', async context => {
    const { outbox, spill, log, state, troubles } = await openFull(context, 20_000)
    let count = 0
    while (!outbox.isFull() && count < 5000) {
      put(outbox, 'a', ...numbered(count, (count += 40)))
      await setTimeout(1)
    }
    await vi.waitFor(() => expect(troubles.at(-1)).toMatch(/ENOSPC.*Make room/), SOON)
    expect(spill.count()).toBeGreaterThan(0)
    state.why = undefined
    await vi.waitFor(() => expect(log.of('a')).toEqual(numbered(0, count)), SOON)
    expect([outbox.isFull(), spill.count(), troubles.at(-1)]).toEqual([false, 0, undefined])
  })

  it('with nothing on it does not keep from the log what was refused before', async context => {
    const { outbox, log, state, troubles } = await openFull(context, 0)
    put(outbox, 'a', '0')
    await vi.waitFor(() => expect(outbox.isFull()).toBe(true), SOON)
    await setTimeout(100)
    state.why = undefined
    await vi.waitFor(() => expect(log.of('a')).toEqual(['0']), SOON)
    await vi.waitFor(() => expect([outbox.isFull(), troubles.at(-1)]).toEqual([false, undefined]), SOON)
  })

  it('is none any more when the log has taken late what was to go to it', async context => {
    const { outbox, log, state } = await openFull(context, 0)
    Object.assign(state, { why: undefined, delayMs: 300 })
    put(outbox, 'a', '0')
    await vi.waitFor(() => expect(outbox.isFull()).toBe(true), SOON)
    await vi.waitFor(() => expect(outbox.isFull()).toBe(false), SOON)
    expect(log.of('a')).toEqual(['0'])
  })

  it('does not hide that the log refuses for good', async context => {
    const { outbox, state, troubles } = await openFull(context, 0)
    put(outbox, 'a', '0')
    await vi.waitFor(() => expect(troubles.at(-1)).toMatch('ENOSPC'), SOON)
    state.why = new Failure('FORBIDDEN', 'Writing to the topic is not allowed.')
    await vi.waitFor(() => expect(troubles.at(-1)).toMatch('not allowed'), SOON)
    expect(outbox.failure()).toBe(state.why)
  })
})

it('goes on with what is on the disk after that has failed, and sends nothing twice', async () => {
  const log = memoryLog()
  let isAway = true
  const failures = { first: 2, drop: 2 }
  const fail = (act: keyof typeof failures) => {
    if (!isAway && failures[act]-- > 0) throw new Failure('UNAVAILABLE', `The disk fails at ${act}.`)
  }
  const spill = await createSpill({ folder: makeTempFolder(), maxBytes: 1e8 })
  const shaky: Spill = {
    ...spill,
    async first() {
      fail('first')
      return spill.first()
    },
    async drop() {
      fail('drop')
      await spill.drop()
    },
  }
  const { outbox, troubles } = openOn(shaky, async (topic, messages) => {
    if (isAway) throw away()
    log.take(topic, messages)
  })
  put(outbox, 'a', ...numbered(0, 5))
  await vi.waitFor(() => expect(spill.count()).toBe(5), SOON)
  put(outbox, 'a', ...numbered(5, 9))
  await vi.waitFor(() => expect(spill.count()).toBe(9), SOON)
  isAway = false
  await vi.waitFor(() => expect(spill.count()).toBe(0), SOON)
  expect(log.of('a')).toEqual(numbered(0, 9))
  await vi.waitFor(() => expect(troubles.at(-1)).toBeUndefined(), SOON)
  expect(troubles).toEqual(['No broker answers.', 'The disk fails at first.', 'The disk fails at drop.', undefined])
})

it('ends when the log refuses for good, with everything on the disk', async () => {
  const { outbox, close } = await open(() =>
    Promise.reject(new Failure('FORBIDDEN', 'Writing to the topic is not allowed.')),
  )
  put(outbox, 'a', '1', '2')
  await vi.waitFor(() => expect(outbox.failure()?.message).toContain('not allowed'), SOON)
  put(outbox, 'a', '3')
  expect(await close()).toEqual({ onDisk: 3, lost: 0 })
})

it('is in order and complete, whatever the log does and whenever it is closed and opened again', async () => {
  const behaviour = fc.constantFrom('takes', 'refuses', 'takes late', 'refuses late', 'takes very late')
  const act = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ put: fc.integer({ min: 1, max: 4 }), waitMs: fc.integer({ min: 0, max: 30 }) }),
    },
    { weight: 1, arbitrary: fc.constant('reopen' as const) },
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(behaviour, { maxLength: 12 }),
      fc.array(act, { minLength: 3, maxLength: 15 }),
      async (behaviours, acts) => {
        const log = memoryLog()
        const pending: Promise<void>[] = []
        let calls = 0
        const append = (topic: string, messages: Produced) => {
          const behaves = behaviours[calls++] ?? 'takes'
          const work = async () => {
            if (behaves.endsWith('very late')) await setTimeout(120)
            else if (behaves.endsWith('late')) await setTimeout(70)
            if (behaves.startsWith('refuses')) throw away()
            log.take(topic, messages)
          }
          const done = work()
          pending.push(done.catch(() => {}))
          return done
        }
        const folder = makeTempFolder()
        let opened = await open(append, folder)
        let count = 0
        let isUncertain = false
        for (const step of acts) {
          if (step === 'reopen') {
            // What was still on its way is sent again by the next one, as it cannot know.
            const before = log.of('a').length
            await opened.close()
            await Promise.all(pending)
            isUncertain ||= log.of('a').length > before
            opened = await open(append, folder)
          } else {
            put(opened.outbox, 'a', ...numbered(count, count + step.put))
            count += step.put
            await setTimeout(step.waitMs)
          }
        }
        const wanted = numbered(0, count)
        await vi.waitFor(() => expect([...new Set(log.of('a'))]).toEqual(wanted), SOON)
        if (!isUncertain) expect(log.of('a')).toEqual(wanted)
        await opened.close()
      },
    ),
    { numRuns: 25 },
  )
}, 60_000)
