import { expect, it } from 'vitest'
import { createGoneTopics } from '../../../src/main/market/gone-topics.ts'

const there = (...topics: string[]) => new Set(topics)
const nothing = { lost: [], back: [] }

it('calls a topic gone when three looks in a row lack it, once, and tells when it is back', () => {
  const gone = createGoneTopics()
  const learn = (topics: ReadonlySet<string>) => gone.learn(['a', 'b'], topics)
  expect([learn(there('b')), learn(there('b'))]).toEqual([nothing, nothing])
  expect([gone.has('a'), gone.names()]).toEqual([false, []])
  expect(learn(there('b'))).toEqual({ lost: ['a'], back: [] })
  expect([gone.has('a'), gone.has('b'), gone.names()]).toEqual([true, false, ['a']])
  expect(learn(there('b'))).toEqual(nothing)
  expect(learn(there('a', 'b'))).toEqual({ lost: [], back: ['a'] })
  expect([gone.has('a'), gone.names(), learn(there('a', 'b'))]).toEqual([false, [], nothing])
})

it('counts looks in a row only', () => {
  const gone = createGoneTopics()
  for (const topics of [there(), there(), there('a'), there(), there(), there('a')])
    expect(gone.learn(['a'], topics)).toEqual(nothing)
})
