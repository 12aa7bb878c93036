// What the frame says about connection, freshness and completeness.
import { describe, expect, it } from 'vitest'
import type { QueryMeta } from '../../../src/contract/fields.ts'
import { rateIn } from '../../../src/renderer/ui/commands.ts'
import { liveText } from '../../../src/renderer/ui/live-state.ts'
import type { WriterStatus } from '../../../src/contract/writer.ts'
import { plainWriter } from '../../support/plain-stream.ts'
import { completenessOf, tierText, writingOf } from '../../../src/renderer/ui/provenance-text.ts'

const NOW = 1_800_000_000_000
const connected = { state: 'connected' } as const
const flowing = { hasRows: true, missed: 0 }
const time = (ms: number) => new Date(ms).toISOString().slice(11, 19)
const query: QueryMeta = {
  ms: 1,
  engine: 'tail',
  snapshot_id: null,
  sources: {},
  watermark: null,
  freshness_ms: null,
  partial: false,
  why: null,
}

describe('the connection', () => {
  it('is live with the age of the newest row', () => {
    expect(liveText(connected, NOW - 37, NOW)).toMatchObject({ tone: 'live', word: 'live', age: '37 ms' })
  })

  it('is quiet, not live, when nothing comes', () => {
    expect(liveText(connected, NOW - 12_000, NOW)).toMatchObject({ tone: 'quiet', word: 'quiet', age: '12 s' })
  })

  it('is not older than now when clocks differ', () => {
    expect(liveText(connected, NOW + 500, NOW).age).toBe('0 ms')
  })

  it('is lost since when, why, and when it is tried again', () => {
    const lost = {
      state: 'lost',
      why: 'The connection to K2 closed.',
      lostAtMs: NOW - 12_000,
      retryAtMs: NOW + 2900,
    } as const
    const text = liveText(lost, NOW - 13_000, NOW)
    expect(text).toMatchObject({ tone: 'lost', word: 'lost', age: '12 s' })
    expect(text.about).toBe('The connection to K2 closed. What is shown is the last that came. Trying again in 3 s.')
  })

  it('says that it connects, and that nothing has come', () => {
    expect(liveText({ state: 'connecting' }, 0, NOW)).toMatchObject({ word: 'connecting', age: '' })
    expect(liveText(connected, 0, NOW)).toMatchObject({ word: 'connected', age: '' })
  })
})

describe('completeness', () => {
  it('is complete where nothing is missing', () => {
    expect(completenessOf(connected, flowing, query, time)).toEqual({ isComplete: true, text: 'Complete' })
  })

  it("is partial for the server's reason", () => {
    const partial = { ...query, partial: true, why: 'the lake is not read yet' }
    expect(completenessOf(connected, flowing, partial, time).text).toBe('Partial: the lake is not read yet')
  })

  it('says how many rows were missed, before what the server says', () => {
    const partial = { ...query, partial: true, why: 'the lake is not read yet' }
    expect(completenessOf(connected, { ...flowing, missed: 1204 }, partial, time)).toEqual({
      isComplete: false,
      text: 'Partial: 1,204 rows left the tail before this window took them',
    })
  })

  it('says up to when rows are shown while the connection is gone', () => {
    const lost = { state: 'lost', lostAtMs: NOW } as const
    expect(completenessOf(lost, flowing, query, time).text).toBe(
      'Partial: the connection is gone, showing rows up to 08:00:00',
    )
    expect(completenessOf({ ...lost, isSignedOut: true }, flowing, query, time).text).toBe(
      'Partial: K2 was started anew, open the address that it printed, showing rows up to 08:00:00',
    )
  })

  it('says from when on rows are whole after a stream began anew', () => {
    expect(completenessOf(connected, { ...flowing, brokenAtMs: NOW }, query, time).text).toBe(
      'Partial: rows before 08:00:00 may be missing, the stream began anew',
    )
  })
})

it('the tier is named with what it is of', () => {
  const about = { log: 'kafka' } as never
  expect(tierText({ state: 'connected', about }, query)).toBe('Tail of Kafka')
  expect(tierText(connected, undefined)).toBe('Tail')
  expect(tierText(connected, { ...query, engine: 'hybrid', snapshot_id: '8123' })).toBe('Snapshot 8123 + tail')
})

describe('a number in the palette', () => {
  it.each([
    ['5000', 5000],
    ['rate 12,000', 12_000],
    ['20k', 20_000],
    ['', undefined],
    ['BHP', undefined],
    ['0', undefined],
  ])('%j is the rate %s', (search, rate) => {
    expect(rateIn(search)).toBe(rate)
  })
})

it('says whether what comes in gets into the tables', () => {
  const says = (change: Partial<WriterStatus>) => writingOf({ ...plainWriter, ...change })
  expect(says({ state: 'writing', lag: 0 })).toEqual({ isComplete: true, text: 'written to the tables' })
  expect(says({ state: 'writing', lag: 1234 })).toMatchObject({ text: '1,234 not in the tables yet' })
  expect(says({ state: 'following', topics: [] })).toEqual({ isComplete: true, text: 'another K2 writes the tables' })
  expect(says({ state: 'following', lag: 12 })).toEqual({ isComplete: true, text: '12 not in the tables yet' })
  expect(says({ state: 'waiting', why: 'The catalog is away.' })).toEqual({
    isComplete: false,
    text: 'Not written to the tables: The catalog is away.',
  })
  expect(says({ state: 'waiting', messages: 0, lag: 0, why: 'There is no topic yet.' })?.isComplete).toBe(true)
  expect(says({ state: 'halted', why: null })).toMatchObject({
    isComplete: false,
    text: 'Not written to the tables: halted',
  })
  expect([writingOf(null), writingOf(undefined), says({ state: 'off' })]).toEqual([undefined, undefined, undefined])
})
