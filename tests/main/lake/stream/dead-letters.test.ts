import { describe, expect, it } from 'vitest'
import type { ColumnBatch } from '../../../../src/contract/columns.ts'
import { offsets as contract } from '../../../../src/contract/offsets.ts'
import { headOf } from '../../../../src/main/lake/iceberg/metadata.ts'
import type { Lake } from '../../../../src/main/lake/lake.ts'
import { offsetsAt } from '../../../../src/main/lake/offsets.ts'
import type { Letter } from '../../../../src/main/lake/stream/dead-letters.ts'
import { streamHandlers } from '../../../../src/main/lake/stream/handlers.ts'
import { REPLAYED_KEY, type Reread } from '../../../../src/main/lake/stream/replay-letters.ts'
import { createStreamTable } from '../../../../src/main/lake/stream/stream-table.ts'
import { createDispatch } from '../../../../src/main/wire/dispatch.ts'
import { connectDirect } from '../../../../src/main/wire/direct.ts'
import { readRows, START_MICROS, tempLake } from '../../../support/lake.ts'
import { at, letters, logOf, noLog, TOPIC, tradesAt, type LetterAt } from '../../../support/stream-rows.ts'

async function lakeWith(...flushes: readonly LetterAt[][]): Promise<Lake> {
  const lake = await tempLake()
  const aside = createStreamTable(lake, 'dead_letters')
  for (const [i, rows] of flushes.entries()) {
    const staged = [await aside.stage([letters(rows)])]
    await aside.commit({ staged, offsets: { from: await aside.offsets(), to: at({ 0: i + 1 }) } })
  }
  return lake
}

/** Reads what is text of digits as a trade. */
const seen: Letter[] = []
const reread: Reread = given => {
  seen.push(...given)
  const good = given.filter(({ bytes }) => /^\d+$/.test(String(bytes)))
  const rows = good.map(({ topic, partition, offset }) => ({
    table: 'trades' as const,
    batch: tradesAt(partition, offset, offset + 1, { topic }),
  }))
  return Promise.resolve({ rows, stillBad: given.length - good.length })
}
const clientOf = (lake: Lake, using = reread) =>
  connectDirect(
    contract,
    createDispatch(contract, streamHandlers(lake, { openLog: noLog, reread: using, windowMicros: 3_600e6 }), {
      checkAnswers: true,
    }),
  )

const LETTERS: LetterAt[][] = [
  [{ offset: 3 }, { offset: 4, reason: 'missing_field', bytes: Buffer.from('{"é": 1}') }],
  [
    { offset: 9, topic: 'other', bytes: null, key: null },
    { offset: 5, partition: 2, bytes: Buffer.from([0xff, 0x00]), key: '\u0000\u0001' },
  ],
]

describe('messages that were set aside', () => {
  it('are listed newest first, by topic and reason, with their length', async () => {
    const client = clientOf(await lakeWith(...LETTERS))
    const all = await client['deadLetters.list']({})
    expect(all.data.map(({ offset, bytes }) => [offset, bytes])).toEqual([
      ['9', 0],
      ['5', 2],
      ['4', 9],
      ['3', 11],
    ])
    expect(all.pagination).toEqual({ limit: 100, has_more: false, total: 4 })
    expect(all.data[0]).toMatchObject({ topic: 'other', reason: 'undecodable', error: 'message 9 is no trade' })
    expect(all.data[0].detected_at).toBe('2014-03-10T00:00:00.000009Z')
    const some = await client['deadLetters.list']({ topic: TOPIC, limit: 2 })
    expect(some.data.map(({ offset }) => offset)).toEqual(['5', '4'])
    expect(some.pagination).toEqual({ limit: 2, has_more: true, total: 3 })
    const byReason = await client['deadLetters.list']({ reason: 'missing_field' })
    expect(byReason.data.map(({ offset }) => offset)).toEqual(['4'])
    const empty = await tempLake()
    for (const lake of [await tempLake(), empty]) {
      if (lake === empty) await empty.ensure('dead_letters')
      expect((await clientOf(lake)['deadLetters.list']({})).data).toEqual([])
      expect(await clientOf(lake)['deadLetters.replay']({})).toMatchObject({ tried: 0 })
    }
  })

  it('are shown with their key and bytes, as text where they are text', async () => {
    const client = clientOf(await lakeWith(...LETTERS))
    const show = (offset: number, partition = 0, topic = TOPIC) =>
      client['deadLetters.show']({ topic, partition, offset })
    const base64 = Buffer.from('{"é": 1}').toString('base64')
    expect(await show(4)).toMatchObject({ key: 'BHP', text: '{"é": 1}', base64, bytes: 9, reason: 'missing_field' })
    expect(await show(5, 2)).toMatchObject({ key: 'AAE=', text: null, base64: '/wA=', bytes: 2 })
    expect(await show(9, 0, 'other')).toMatchObject({ key: null, text: null, base64: null, bytes: 0 })
    await expect(show(6)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('are written once when they can be read now, however often that is tried, and no offset moves', async () => {
    const digits = (offset: number, more: Partial<LetterAt> = {}) => ({ offset, bytes: Buffer.from('1'), ...more })
    const lake = await lakeWith([digits(3), { offset: 4 }, digits(5)], [digits(7, { partition: 2 }), digits(8)])
    const client = clientOf(lake)
    const trades = createStreamTable(lake, 'trades')
    await trades.commit({ staged: [], offsets: { from: await trades.offsets(), to: at({ 0: 50 }) } })
    expect(await client['deadLetters.replay']({ topic: TOPIC, partition: 2 })).toEqual({
      tried: 1,
      written: 1,
      already_there: 0,
      still_bad: 0,
    })
    const { metadata } = await lake.table('trades').load()
    expect(headOf(metadata)!.summary).toMatchObject({ [REPLAYED_KEY]: '1' })
    expect(await client['deadLetters.replay']({})).toEqual({ tried: 5, written: 3, already_there: 1, still_bad: 1 })
    expect(await client['deadLetters.replay']({})).toEqual({ tried: 5, written: 0, already_there: 4, still_bad: 1 })
    const rows = await readRows(lake)
    expect(rows.map(({ _offset: offset }) => offset).sort()).toEqual(['3', '5', '7', '8'])
    expect(offsetsAt((await lake.table('trades').load()).metadata)).toEqual(at({ 0: 50 }))
  })

  it('are written with one commit for many', async () => {
    const all = Array.from({ length: 1_200 }, (_, offset) => ({ offset, bytes: Buffer.from('1') }))
    const lake = await lakeWith(all)
    const together: Reread = given => {
      const batch = tradesAt(0, given[0].offset, given.at(-1)!.offset + 1)
      return Promise.resolve({ rows: [{ table: 'trades', batch }], stillBad: 0 })
    }
    const client = clientOf(lake, together)
    expect(await client['deadLetters.replay']({})).toMatchObject({ tried: 1_200, written: 1_200 })
    const { metadata } = await lake.table('trades').load()
    expect(metadata.snapshots.map(({ summary }) => summary[REPLAYED_KEY])).toEqual(['500', '500', '200'])
  })

  it('are left out where they repeat, to the letter and within the window, another one or a row of their partition', async () => {
    /** Whose content is told by its bytes; a message is taken in a second after the one before it in the log. */
    const trade = (offset: number, content: number, partition = 0): ColumnBatch => {
      const [{ columns }, place] = [tradesAt(partition, content, content + 1), tradesAt(partition, offset, offset + 1)]
      const { message_id, _offset, ingestion_timestamp } = place.columns
      const takenIn = { ...ingestion_timestamp, values: Float64Array.of(START_MICROS + offset * 1e6) }
      return { rowCount: 1, columns: { ...columns, message_id, _offset, ingestion_timestamp: takenIn } }
    }
    const again = (offset: number, content: number, more: Partial<LetterAt> = {}) => {
      return { offset, bytes: Buffer.from(String(content)), ...more }
    }
    const rereadContent: Reread = given =>
      Promise.resolve({
        rows: given.map(one => ({
          table: 'trades',
          batch: trade(one.offset, Number(String(one.bytes)), one.partition),
        })),
        stillBad: 0,
      })
    const replayed = async (windowMicros: number) => {
      const lake = await lakeWith(
        [again(10, 77), again(11, 77), again(12, 88)],
        [again(13, 77, { partition: 1 }), again(99, 77)],
      )
      const stream = createStreamTable(lake, 'trades')
      await stream.commit({ staged: [await stream.stage([trade(20, 88)])], offsets: { from: [], to: at({ 0: 21 }) } })
      const handlers = streamHandlers(lake, { openLog: noLog, reread: rereadContent, windowMicros })
      const client = connectDirect(contract, createDispatch(contract, handlers, { checkAnswers: true }))
      const done = await client['deadLetters.replay']({})
      expect(await client['deadLetters.replay']({})).toMatchObject({ written: 0, already_there: 5 })
      return { ...done, offsets: (await readRows(lake)).map(row => Number(row._offset)).sort((a, b) => a - b) }
    }
    expect(await replayed(60e6)).toMatchObject({ written: 3, already_there: 2, offsets: [10, 13, 20, 99] })
    expect(await replayed(0)).toMatchObject({ written: 5, already_there: 0, offsets: [10, 11, 12, 13, 20, 99] })
  })

  it('come back as they were: key, bytes, and when the log took them in', async () => {
    const client = clientOf(await lakeWith(...LETTERS))
    seen.length = 0
    await client['deadLetters.replay']({ topic: TOPIC, partition: 2, offset: 5 })
    expect(seen).toEqual([
      {
        topic: TOPIC,
        partition: 2,
        offset: 5,
        logMicros: START_MICROS + 5,
        key: Buffer.from('\u0000\u0001'),
        bytes: Buffer.from([0xff, 0x00]),
      },
    ])
  })

  it('are written once when two replay them at the same time, beside a stream', async () => {
    const rows = Array.from({ length: 30 }, (_, i) => ({ offset: i, bytes: Buffer.from('1') }))
    const lake = await lakeWith(rows)
    const client = clientOf(lake)
    const stream = createStreamTable(lake, 'trades')
    const streaming = (async () => {
      for (let next = 100; next < 106; next++) {
        const staged = [await stream.stage([tradesAt(0, next, next + 1)])]
        await stream.commit({ staged, offsets: { from: await stream.offsets(), to: at({ 0: next + 1 }) } })
      }
    })()
    const replays = [0, 10, 0, 10].map(offset => client['deadLetters.replay']({ topic: TOPIC, partition: 0, offset }))
    const both = await Promise.all(replays)
    await streaming
    expect(both.map(({ written }) => written).reduce((sum, written) => sum + written)).toBe(2)
    expect(await readRows(lake)).toHaveLength(8)
  })

  it('can be set aside again when they are read again, and are there once', async () => {
    const lake = await lakeWith([{ offset: 3 }, { offset: 4 }], [{ offset: 4 }, { offset: 5 }], [{ offset: 3 }])
    expect((await clientOf(lake)['deadLetters.list']({})).data.map(({ offset }) => offset)).toEqual(['5', '4', '3'])
  })

  it('of a topic that was made anew are others, also where the offset is the same', async () => {
    const lake = await lakeWith([{ offset: 3 }], [{ offset: 3, micros: START_MICROS + 1e9, bytes: Buffer.from('new') }])
    const client = clientOf(lake)
    expect((await client['deadLetters.list']({})).pagination?.total).toBe(2)
    expect((await client['deadLetters.show']({ topic: TOPIC, partition: 0, offset: 3 })).text).toBe('new')
  })
})

describe('offsets over the contract', () => {
  it('are set and shown', async () => {
    const lake = await tempLake()
    const handlers = streamHandlers(lake, { openLog: logOf({ 4: [0, 9] }), reread, windowMicros: 0 })
    const client = connectDirect(contract, createDispatch(contract, handlers, { checkAnswers: true }))
    const first = await client['offsets.set']({ topic: TOPIC, partition: 4, to: 'latest' })
    expect(first).toMatchObject({ table: 'trades', before: null, next_offset: '9' })
    expect(await client['offsets.set']({ topic: TOPIC, partition: 4, to: '5' })).toMatchObject({ before: '9' })
    expect(await client['offsets.show']({})).toMatchObject([{ partition: 4, next_offset: '5', latest: '9', lag: 4 }])
  })
})
