// How the breaker of the log opens and closes by what becomes of each look for topics.
import { expect, it, onTestFinished, vi } from 'vitest'
import { Failure } from '../../../src/contract/failure.ts'
import { createBreaker } from '../../../src/main/base/breaker.ts'
import { askTopics } from '../../../src/main/ingest/ask-topics.ts'
import type { TopicInfo } from '../../../src/main/log/message-log.ts'

const away = new Failure('UNAVAILABLE', 'Away.')
const TOPICS: TopicInfo[] = [{ name: 't', partitions: 1, epoch: '0' }]

function openAsking(topics: () => Promise<TopicInfo[]>) {
  const time = { nowMs: 0 }
  const breaker = createBreaker({ name: 'kafka', clock: { nowMs: () => time.nowMs } })
  return { time, breaker, ask: askTopics({ topics }, breaker) }
}

it('opens with the fifth look in vain, keeps none back, and closes half a minute later if the log is there again', async () => {
  let isAway = true
  let asked = 0
  const { time, breaker, ask } = openAsking(() => (asked++, isAway ? Promise.reject(away) : Promise.resolve(TOPICS)))
  for (let look = 1; look <= 7; look++) {
    await expect(ask()).rejects.toBe(away)
    expect(breaker.state()).toBe(look < 5 ? 'closed' : 'open')
  }
  expect(asked).toBe(7)
  time.nowMs = 30_000
  await expect(ask()).rejects.toBe(away)
  expect(breaker.state()).toBe('open')
  isAway = false
  time.nowMs = 59_999
  expect(await ask()).toBe(TOPICS)
  expect(breaker.state()).toBe('open')
  time.nowMs = 60_000
  expect(await ask()).toBe(TOPICS)
  expect([breaker.state(), breaker.failures()]).toEqual(['closed', 0])
})

it('begins to count anew after a look that went well', async () => {
  let looks = 0
  const { breaker, ask } = openAsking(() => (++looks % 5 === 0 ? Promise.resolve(TOPICS) : Promise.reject(away)))
  for (let look = 0; look < 25; look++) await ask().catch(() => {})
  expect([breaker.state(), breaker.failures()]).toEqual(['closed', 0])
})

it('leaves a failure of reading alone that is none of the log as a whole: /health goes by it', async () => {
  const { breaker, ask } = openAsking(() => Promise.resolve(TOPICS))
  await expect(breaker.run(() => Promise.reject(away))).rejects.toBe(away)
  for (let look = 0; look < 10; look++) await ask()
  expect([breaker.state(), breaker.failures()]).toEqual(['closed', 1])
})

it('opens too where the log neither answers nor fails', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  let answer: (topics: TopicInfo[]) => void = () => {}
  const { breaker, ask } = openAsking(() => new Promise(resolve => (answer = resolve)))
  const asking = ask()
  await vi.advanceTimersByTimeAsync(24_999)
  expect([breaker.state(), breaker.failures()]).toEqual(['closed', 4])
  await vi.advanceTimersByTimeAsync(1)
  expect(breaker.state()).toBe('open')
  answer(TOPICS)
  expect(await asking).toBe(TOPICS)
  expect(vi.getTimerCount()).toBe(0)
})
