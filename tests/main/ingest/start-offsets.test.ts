import { describe, expect, it } from 'vitest'
import { startOffsets, type StartOptions } from '../../../src/main/ingest/start-offsets.ts'
import { TRADES } from '../../support/writer.ts'

const life = { cluster: 'c', epoch: 'e', topic: TRADES }
const range = (partition: number, earliest: number, latest: number) => ({ partition, earliest, latest })
const start = (next: Record<string, number>, changes: Partial<StartOptions> = {}) =>
  startOffsets({
    vector: [{ ...life, next }],
    cluster: 'c',
    topics: [{ topic: TRADES, epoch: 'e', ranges: [range(0, 5, 100), range(1, 0, 0)] }],
    ...changes,
  }).get(TRADES)
const refusal = (work: () => unknown) => {
  try {
    work()
  } catch (error) {
    return error
  }
}

describe('where a table goes on', () => {
  it('is what it says, to the offset, from the first that is held to the end', () => {
    expect(start({ 0: 5 })).toEqual(new Map([[0, 5]]))
    expect(start({ 0: 100, 1: 0 })).toEqual(
      new Map([
        [0, 100],
        [1, 0],
      ]),
    )
  })

  it('is not named for partitions and topics that it says nothing of', () => {
    expect(start({ 0: 7 })?.has(1)).toBe(false)
    expect(start({}, { vector: [] })).toEqual(new Map())
  })

  it('is refused beyond the end of the log, which is not the same log then', () => {
    expect(refusal(() => start({ 0: 101 }))).toMatchObject({
      code: 'LOG_RESET',
      details: { topic: TRADES, partition: 0, offset: 101, latest: 100 },
      message: expect.stringContaining(`k2 ingest offsets set ${TRADES} 0`) as string,
    })
    expect(refusal(() => start({ 7: 1 }))).toMatchObject({ code: 'LOG_RESET' })
  })

  it.each([
    ['another cluster', { cluster: 'other' }],
    ['a topic made anew', { topics: [{ topic: TRADES, epoch: 'f', ranges: [range(0, 0, 100)] }] }],
  ])('is refused in %s, even where the offset exists', (_, changes) => {
    expect(refusal(() => start({ 0: 50 }, changes))).toMatchObject({
      code: 'LOG_RESET',
      message: expect.stringContaining('k2 ingest offsets set') as string,
    })
  })

  it('is refused before what the log still holds, and says how much is lost', () => {
    expect(refusal(() => start({ 0: 2 }))).toMatchObject({
      code: 'OFFSET_OUT_OF_RANGE',
      message: expect.stringContaining('up to 3 messages') as string,
    })
  })
})
