import { describe, expect, it } from 'vitest'
import { commitChange } from '../../../../src/main/lake/commit/commit-change.ts'
import type { Lake } from '../../../../src/main/lake/lake.ts'
import { OFFSETS_KEY } from '../../../../src/main/lake/offsets.ts'
import { setOffsets } from '../../../../src/main/lake/stream/set-offsets.ts'
import { showOffsets } from '../../../../src/main/lake/stream/show-offsets.ts'
import { createStreamTable } from '../../../../src/main/lake/stream/stream-table.ts'
import type { OffsetVector } from '../../../../src/main/market/topic-offsets.ts'
import { readRows, tempLake } from '../../../support/lake.ts'
import { at, letters, logOf, noLog, TOPIC, tradesAt } from '../../../support/stream-rows.ts'

const log = logOf({ 0: [10, 100], 1: [0, 50] })
const set = (lake: Lake, partition: number, to: string, openLog = log) =>
  setOffsets(lake, openLog, { topic: TOPIC, partition, to })

/** As the writer: what a partition has from one offset up to another. */
async function write(lake: Lake, partition: number, from: number, to: number, life = {}): Promise<void> {
  const stream = createStreamTable(lake, 'trades')
  const base = await stream.offsets()
  const staged = [await stream.stage([tradesAt(partition, from, to, life)])]
  await stream.commit({ staged, offsets: { from: base, to: at({ [partition]: to }, life) } })
}

const offsetsIn = async (lake: Lake, id: 'trades' | 'dead_letters' = 'trades') => createStreamTable(lake, id).offsets()
const placesIn = async (lake: Lake) =>
  (await readRows(lake)).map(row => `${row._partition as number}:${row._offset as string}`).sort()
const places = (partition: number, from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => `${partition}:${from + i}`)

describe('where the writer goes on, set by a person', () => {
  it('is at an end of the log, at an offset, or at the first message of a time', async () => {
    const lake = await tempLake()
    const byTime = logOf({ 0: [10, 100] }, { offsetAt: micros => micros - Date.UTC(2014, 2, 10, 9, 30) * 1000 })
    for (const [to, openLog, next] of [
      ['earliest', log, 10],
      ['latest', log, 100],
      ['42', log, 42],
      ['2014-03-10T09:30:00.000017', byTime, 27],
      ['2014-03-10T10:30:00.000019+01:00', byTime, 29],
    ] as const) {
      const done = await set(lake, 0, to, openLog)
      expect(done).toMatchObject({ table: 'trades', next })
      // The other one of a topic that was new is named too: where it begins.
      expect(await offsetsIn(lake)).toEqual(at({ 0: next, 1: 0 }))
    }
    expect(await set(lake, 1, '7')).toMatchObject({ before: 0, next: 7 })
    expect(await set(lake, 1, '8')).toMatchObject({ before: 7, next: 8 })
    expect(await offsetsIn(lake)).toEqual(at({ 0: 29, 1: 8 }))
  })

  it('refuses what the log does not hold, what is no place, and a topic that goes nowhere', async () => {
    const lake = await tempLake()
    await write(lake, 0, 20, 30)
    const refused: [number, string, string, RegExp][] = [
      [0, '9', 'OFFSET_OUT_OF_RANGE', /from 10 up to 100; 9/],
      [0, '101', 'OFFSET_OUT_OF_RANGE', /101/],
      [2, '1', 'NOT_FOUND', /2 partitions, and no 2/],
      [0, 'newest', 'INVALID_INPUT', /earliest, latest/],
      [0, '-1', 'INVALID_INPUT', /earliest, latest/],
      [0, '12345678901234567', 'INVALID_INPUT', /earliest, latest/],
      [0, '2014-13-10', 'INVALID_INPUT', /earliest, latest/],
    ]
    for (const [partition, to, code, message] of refused)
      await expect(set(lake, partition, to), to).rejects.toMatchObject({
        code,
        message: expect.stringMatching(message) as string,
      })
    const other = set(lake, 0, '20', logOf({}, { topic: 'other' }))
    await expect(other).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(other).rejects.not.toThrow('k2 serve')
    const embedded = async () => ({ ...(await logOf({}, { topic: 'other' })()), kind: 'embedded' as const })
    await expect(set(lake, 0, '20', embedded)).rejects.toThrow('there while K2 runs (`k2 serve`)')
    const odd = setOffsets(lake, logOf({ 0: [0, 9] }, { topic: 'odd' }), { topic: 'odd', partition: 0, to: '1' })
    await expect(odd).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining('odd') as string,
    })
    expect(await offsetsIn(lake)).toEqual(at({ 0: 30 }))
    const empty = await tempLake({ hasTables: false })
    await expect(set(empty, 0, '101')).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' })
    await expect(empty.table('trades').load(), 'nothing is made for it').rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('writes nothing twice when it goes back, and what was skipped before', async () => {
    const lake = await tempLake()
    await write(lake, 0, 10, 30)
    await set(lake, 0, '50')
    await write(lake, 0, 50, 60)
    expect(await placesIn(lake)).toEqual([...places(0, 10, 30), ...places(0, 50, 60)].sort())
    expect(await set(lake, 0, '20')).toMatchObject({ before: 60, next: 20 })
    await write(lake, 0, 20, 45)
    await write(lake, 0, 45, 70)
    expect(await placesIn(lake)).toEqual(places(0, 10, 70).sort())
    await set(lake, 0, 'earliest')
    await set(lake, 0, '15') // and the further end is not forgotten
    await write(lake, 0, 15, 100)
    expect(await placesIn(lake)).toEqual(places(0, 10, 100).sort())
  })

  it('fences a writer that was at work meanwhile', async () => {
    const lake = await tempLake()
    await write(lake, 0, 10, 30)
    const stream = createStreamTable(lake, 'trades')
    const from = await stream.offsets()
    const staged = [await stream.stage([tradesAt(0, 30, 40)])]
    await set(lake, 0, '20')
    const late = stream.commit({ staged, offsets: { from, to: at({ 0: 40 }) } })
    await expect(late).rejects.toMatchObject({ code: 'FENCED' })
    expect(await placesIn(lake)).toEqual(places(0, 10, 30))
  })

  it('begins a topic that was made anew, whose offsets are other messages', async () => {
    const lake = await tempLake()
    await write(lake, 0, 10, 30)
    await write(lake, 1, 0, 5)
    const anew = logOf({ 0: [0, 40], 1: [0, 40] }, { epoch: 'e2' })
    expect(await set(lake, 0, 'earliest', anew)).toMatchObject({ before: undefined, next: 0 })
    expect(await offsetsIn(lake)).toEqual(at({ 0: 0 }, { epoch: 'e2' }))
    await write(lake, 0, 0, 40, { epoch: 'e2', life: 'second ' })
    expect(await readRows(lake)).toHaveLength(20 + 5 + 40)
    // Set back in the second life: what the first one had at these offsets is not taken for it.
    await set(lake, 0, '5', anew)
    await write(lake, 0, 5, 40, { epoch: 'e2', life: 'second ' })
    expect(await readRows(lake)).toHaveLength(20 + 5 + 40)
  })

  it('needs the log for its ends, for times and for topics it does not know, not for an offset of a known one', async () => {
    const lake = await tempLake()
    for (const to of ['earliest', '5', '2014-03-10'])
      await expect(set(lake, 0, to, noLog)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await write(lake, 0, 10, 30)
    await expect(set(lake, 0, 'latest', noLog)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(await set(lake, 0, '12', noLog)).toMatchObject({ before: 30, next: 12 })
  })

  it('is the way out where a table does not know how far the log is in it, and its rows tell the rest', async () => {
    const lake = await tempLake()
    await write(lake, 0, 10, 30)
    await write(lake, 1, 0, 5)
    await write(lake, 7, 0, 5) // a partition that the log has not
    await commitChange(lake.table('trades'), { operation: 'append', summary: { [OFFSETS_KEY]: 'nonsense' } })
    await expect(offsetsIn(lake)).rejects.toMatchObject({ code: 'CORRUPT' })
    expect(await set(lake, 0, '20')).toMatchObject({ before: 30, next: 20 })
    expect(await offsetsIn(lake)).toEqual(at({ 0: 20, 1: 5 }))
    await write(lake, 0, 20, 40)
    expect(await placesIn(lake)).toEqual([...places(0, 10, 40), ...places(1, 0, 5), ...places(7, 0, 5)].sort())
  })

  it('takes the tables of what was set aside along, and these hold nothing twice either', async () => {
    const lake = await tempLake()
    await write(lake, 0, 10, 30)
    const aside = createStreamTable(lake, 'dead_letters')
    const put = async (offsets: number[], from: OffsetVector, to: number) => {
      const staged = [await aside.stage([letters(offsets.map(offset => ({ offset })))])]
      await aside.commit({ staged, offsets: { from, to: at({ 0: to }) } })
    }
    await put([12, 17], await aside.offsets(), 30)
    expect(await set(lake, 0, '15')).toMatchObject({ next: 15 })
    expect(await aside.offsets()).toEqual(at({ 0: 15 }))
    await put([17, 33], await aside.offsets(), 35)
    const rows = await readRows(lake, { table: 'dead_letters', orderBy: [{ column: 'offset', direction: 'asc' }] })
    expect(rows.map(({ offset }) => offset)).toEqual(['12', '17', '33'])
    await set(lake, 0, '90')
    expect(await aside.offsets()).toEqual(at({ 0: 90 }))
  })
})

describe('how far the log is in the tables', () => {
  it('is shown for each partition beside what the log holds, and the lag', async () => {
    const lake = await tempLake()
    await write(lake, 0, 10, 30)
    await write(lake, 1, 0, 50)
    expect(await showOffsets(lake, log, undefined)).toEqual([
      {
        table: 'trades',
        topic: TOPIC,
        partition: 0,
        next_offset: '30',
        earliest: '10',
        latest: '100',
        lag: 70,
        cluster: 'c',
        epoch: 'e',
      },
      expect.objectContaining({ partition: 1, next_offset: '50', lag: 0 }),
    ])
    const [unknown] = await showOffsets(lake, noLog, TOPIC)
    expect(unknown).toMatchObject({ next_offset: '30', earliest: null, latest: null, lag: null })
    const [other] = await showOffsets(lake, logOf({ 0: [0, 9] }, { cluster: 'another' }), TOPIC)
    expect(other).toMatchObject({ next_offset: '30', latest: null, lag: null, cluster: 'c' })
    await expect(showOffsets(lake, log, 'other')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await showOffsets(await tempLake(), log, undefined)).toEqual([])
  })
})
