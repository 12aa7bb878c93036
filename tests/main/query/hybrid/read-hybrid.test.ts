// Fresh and history in one answer, case by case: what else happens to a table, and what happens when one source is away.
import { describe, expect, it, vi } from 'vitest'
import { rowsOf } from '../../../../src/contract/columns.ts'
import { Failure } from '../../../../src/contract/failure.ts'
import { IMPORT_KEY } from '../../../../src/main/lake/load/import-marks.ts'
import { expireSnapshots } from '../../../../src/main/lake/maintain/expire-snapshots.ts'
import { rollBack } from '../../../../src/main/lake/travel/roll-back.ts'
import { readNewest } from '../../../../src/main/query/hybrid/lake-window.ts'
import { createHybrid } from '../../../../src/main/query/hybrid/read-hybrid.ts'
import { ONLY_HEAD } from '../../../support/failing-operations.ts'
import { asForeign, columnsOf, idsIn, openHybridPlace, withoutPlace } from '../../../support/hybrid-place.ts'
import type { HybridPlace } from '../../../support/hybrid-place.ts'
import { append } from '../../../support/lake.ts'
import { logBatch, type SampleRow } from '../../../support/market-messages.ts'
import { replayBatch } from '../../../support/replay-rows.ts'
import { MINUTE } from '../../../support/tail.ts'

const TOPIC = 'market.equities.trades.asx'

/** Rows of partition 0 with ids from … on, a second apart. */
function writeRows({ write, clock, log }: HybridPlace, count: number, changes: Partial<SampleRow> = {}): void {
  const first = log[0].length
  const row = (i: number) => ({
    symbol: 'BHP',
    id: first + i,
    micros: clock.micros - 60e6 + (first + i) * 1e6,
    ...changes,
  })
  write(
    0,
    Array.from({ length: count }, (_, i) => row(i)),
  )
}

const ids = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => String(from + i))

async function answered(place: HybridPlace, changes?: Parameters<HybridPlace['ask']>[0]) {
  const { data, query } = await place.ask(changes)
  return { ids: idsIn(data), ...query }
}

/** In the table up to 4, read up to 8. */
async function usualPlace(): Promise<HybridPlace> {
  const place = await openHybridPlace()
  writeRows(place, 8)
  place.readTo()
  await place.commitTo([4, 0])
  return place
}

describe('one snapshot, and the live view from its offsets on', () => {
  it.each(['trades', 'quotes'] as const)('are the newest %s in order, with what came from where', async table => {
    const place = await openHybridPlace({ table })
    writeRows(place, 8)
    place.readTo()
    const { snapshotId } = await place.commitTo([4, 0])
    const answer = await answered(place)
    expect(answer).toMatchObject({
      ids: ids(0, 8),
      engine: 'hybrid',
      snapshot_id: snapshotId,
      sources: { lake: { rows: 4 }, tail: { rows: 4 } },
      told_by: 'offsets',
      partial: false,
      why: null,
    })
    expect((await answered(place, { limit: 3 })).sources).toMatchObject({ lake: { rows: 0 }, tail: { rows: 3 } })
  })

  it('stand on the same snapshot while commits and compaction go on, and read no file again', async () => {
    const place = await usualPlace()
    const first = await answered(place)
    await place.commitTo([6, 0])
    await place.compact()
    await place.commitTo([8, 0])
    const later = await answered(place)
    expect(later).toMatchObject({ ids: ids(0, 8), snapshot_id: first.snapshot_id, files: { read: 0 } })
  })

  it('go on to a newer snapshot with rows of the live view, and read no file again', async () => {
    const place = await usualPlace()
    const first = await answered(place)
    place.clock.micros += MINUTE
    const { snapshotId } = await place.commitTo([8, 0])
    expect((await answered(place)).snapshot_id).toBe(first.snapshot_id)
    place.clock.micros += 5 * MINUTE
    place.tail().trim()
    const later = await answered(place)
    expect(later).toMatchObject({ ids: ids(0, 8), snapshot_id: snapshotId, files: { read: 0 }, partial: false })
    expect(later.sources).toMatchObject({ lake: { rows: 8 }, tail: { rows: 0 } })
  })

  it('take the newest snapshot when the live view lets go of what the one before lacks', async () => {
    const place = await usualPlace()
    const first = await answered(place)
    const { snapshotId } = await place.commitTo([8, 0])
    place.clock.micros += 5 * MINUTE
    place.tail().trim()
    const later = await answered(place)
    expect(first.snapshot_id).not.toBe(snapshotId)
    expect(later).toMatchObject({ ids: ids(0, 8), snapshot_id: snapshotId, partial: false })
  })

  it('say what is neither in the table nor in memory', async () => {
    const place = await usualPlace()
    place.restartTail([6, 0])
    place.readTo()
    expect(await answered(place)).toMatchObject({
      ids: [...ids(0, 4), ...ids(6, 8)],
      partial: true,
      why: expect.stringMatching(/^2 messages are not in the tables/) as string,
    })
  })

  it('answer a partition where the live view is behind from the snapshot', async () => {
    const place = await usualPlace()
    await answered(place)
    await place.commitTo([8, 0])
    place.restartTail([2, 0])
    place.readTo([3, 0])
    expect(await answered(place)).toMatchObject({ ids: ids(0, 8), partial: false })
  })

  it('have a row of a file once beside those of the stream, also when it was loaded after the snapshot', async () => {
    const place = await usualPlace()
    await answered(place)
    const row = { symbol: 'BHP', id: 'file', micros: place.clock.micros - 30e6 }
    const batch = withoutPlace(columnsOf('trades', { topic: TOPIC, partition: 0, offset: 0 }, [row]))
    await append(place.lake, batch, { specId: 0, summary: { [IMPORT_KEY]: 'a.csv' } })
    const answer = await answered(place)
    expect(answer).toMatchObject({ ids: [...ids(0, 8), 'file'], told_by: 'offsets', partial: false })
  })

  it('have the same newest rows of a file for any limit, also where those are alike in the whole order', async () => {
    const { clock, lake, tools } = await openHybridPlace()
    const row = (i: number) => ({ id: 'M77', micros: clock.micros - 30e6, price: 1 + ((i * 37) % 60) })
    await append(
      lake,
      replayBatch(
        'trades',
        Array.from({ length: 60 }, (_, i) => row(i)),
      ),
    )
    const at = await tools.reads.head('trades')
    const pricesOf = async (limit: number) => {
      const question = { table: 'trades' as const, symbols: undefined, exchange: undefined, sinceMicros: 0, limit }
      return rowsOf((await readNewest(tools, at, question)).rows).map(({ price }) => price)
    }
    const whole = await pricesOf(60)
    expect(new Set(whole).size).toBe(60)
    for (const limit of [1, 6, 7, 25, 59, 100]) expect(await pricesOf(limit)).toEqual(whole.slice(-limit))
  })

  it('leave out what a rollback took away, and nothing that is newer', async () => {
    const place = await usualPlace()
    const { snapshotId } = await place.commitTo([4, 0])
    await place.commitTo([6, 0])
    await answered(place)
    await rollBack(place.lake.table('trades'), snapshotId)
    expect(await answered(place)).toMatchObject({ ids: [...ids(0, 4), ...ids(6, 8)], partial: false })
  })

  it('go on from the newest snapshot when the one they stood on has expired', async () => {
    const place = await usualPlace()
    const first = await answered(place)
    await place.commitTo([6, 0])
    await place.compact()
    place.clock.micros += 5 * MINUTE
    await expireSnapshots(place.lake.table('trades'), { retention: ONLY_HEAD })
    // Of other rows nothing is held decoded.
    const later = await answered(place, { symbols: ['BHP', 'RIO'] })
    expect(later).toMatchObject({ ids: ids(0, 8), partial: false })
    expect(later.snapshot_id).not.toBe(first.snapshot_id)
  })

  it('take all of a topic that was made anew beside the rows of its former life', async () => {
    const place = await usualPlace()
    await answered(place)
    const tail = place.tail()
    tail.begin({ cluster: 'c', epoch: 'other', topic: TOPIC }, new Map([[0, { offset: 0, isEarliest: true }]]))
    const rows = ids(100, 103).map(id => ({ symbol: 'BHP', id, micros: place.clock.micros }))
    tail.append(logBatch('trades', rows, { topic: TOPIC, partition: 0, offset: 0 }))
    expect(await answered(place)).toMatchObject({ ids: [...ids(0, 4), ...ids(100, 103)], told_by: 'offsets' })
  })
})

describe('rows that the offsets do not tell apart', () => {
  it('are told by their place in the log after an append of another engine, the live view winning', async () => {
    const place = await usualPlace()
    await answered(place)
    await append(asForeign(place.lake), place.rowsOf(0, 4, 6), { specId: 0 })
    expect(await answered(place)).toMatchObject({
      ids: ids(0, 8),
      told_by: 'place',
      sources: { lake: { rows: 4 }, tail: { rows: 4 } },
    })
  })

  it('are told by their message id where they have no place', async () => {
    const place = await usualPlace()
    await append(asForeign(place.lake), withoutPlace(place.rowsOf(0, 4, 6)), { specId: 0 })
    expect(await answered(place)).toMatchObject({ ids: ids(0, 8), told_by: 'place', partial: false })
  })

  it('are so in a table that no stream of ours writes', async () => {
    const place = await openHybridPlace()
    writeRows(place, 8)
    place.readTo()
    await append(asForeign(place.lake), place.rowsOf(0, 0, 6), { specId: 0 })
    expect(await answered(place)).toMatchObject({ ids: ids(0, 8), told_by: 'place', partial: false })
  })

  it('are told by offsets again as soon as our stream has committed', async () => {
    const place = await usualPlace()
    await append(asForeign(place.lake), place.rowsOf(0, 2, 3), { specId: 0 })
    expect((await answered(place)).told_by).toBe('place')
    await place.commitTo([6, 0])
    expect((await answered(place)).told_by).toBe('offsets')
  })
})

describe('with one source away', () => {
  const away = () => Promise.reject(new Failure('UNAVAILABLE', 'The live process is restarting.'))

  it('the newest snapshot answers without the live view, and says so', async () => {
    const place = await usualPlace()
    await answered(place)
    await place.commitTo([6, 0])
    place.live.ask = away
    const answer = await answered(place)
    expect(answer).toMatchObject({ ids: ids(0, 6), partial: true, sources: { lake: { rows: 6 } } })
    expect(answer.why).toContain('The live process is restarting.')
    expect(answer.sources.tail).toBeUndefined()
  })

  it('the live view answers without the tables, and says so', async () => {
    const place = await usualPlace()
    const reads = { ...place.tools.reads, head: () => Promise.reject(new Failure('UNAVAILABLE', 'No catalog.')) }
    place.readHybrid = createHybrid({ ...place.tools, reads })
    const answer = await answered(place)
    expect(answer).toMatchObject({ ids: ids(0, 8), partial: true, snapshot_id: null, sources: { tail: { rows: 8 } } })
    expect(answer.why).toContain('No catalog.')
  })

  it('a snapshot that is known still answers when the catalog does not', async () => {
    const place = await usualPlace()
    const head = vi.spyOn(place.tools.reads, 'head')
    await answered(place)
    head.mockRejectedValue(new Failure('UNAVAILABLE', 'No catalog.'))
    const answer = await answered(place)
    expect(answer).toMatchObject({ ids: ids(0, 8), partial: true, sources: { lake: { rows: 4 }, tail: { rows: 4 } } })
    expect(answer.why).toContain('No catalog.')
  })

  it('fails when both are', async () => {
    const place = await usualPlace()
    vi.spyOn(place.tools.reads, 'head').mockRejectedValue(new Failure('UNAVAILABLE', 'No catalog.'))
    place.live.ask = away
    await expect(place.ask()).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringMatching(/No catalog.*The live process is restarting/) as string,
    })
  })

  it('does not take a mistake of ours for a source that is away', async () => {
    const place = await usualPlace()
    vi.spyOn(place.tools.reads, 'head').mockRejectedValue(new TypeError('a bug'))
    await expect(place.ask()).rejects.toThrow(TypeError)
  })
})

describe('who wants to see what was just written', () => {
  const upTo = (offset: number) => [{ topic: TOPIC, partition: 0, offset }]
  const question = (place: HybridPlace) => ({
    table: 'trades' as const,
    symbols: ['BHP'],
    sinceMicros: place.clock.micros - 15 * MINUTE,
    limit: 100,
  })

  it('is answered at once when it was read, and waits while it was not', async () => {
    const place = await usualPlace()
    writeRows(place, 2)
    expect(idsIn((await place.readHybrid(question(place), { minOffsets: upTo(8) })).data)).toEqual(ids(0, 8))
    const waiting = place.readHybrid(question(place), { minOffsets: upTo(10) })
    const early = await Promise.race([
      waiting.then(() => 'answered'),
      new Promise(done => setTimeout(done, 200, 'waits')),
    ])
    expect(early).toBe('waits')
    place.readTo()
    expect(idsIn((await waiting).data)).toEqual(ids(0, 10))
  })

  it('is told how far it was read when that takes too long', { timeout: 30_000 }, async () => {
    const place = await usualPlace()
    await expect(place.readHybrid(question(place), { minOffsets: upTo(99) })).rejects.toMatchObject({
      code: 'TIMEOUT',
      details: { missing: [{ topic: TOPIC, partition: 0, offset: 99, reached: 8 }] },
    })
  })

  it('waits no longer than it is there itself', async () => {
    const place = await usualPlace()
    const leaving = new AbortController()
    const waiting = place.readHybrid(question(place), { minOffsets: upTo(99), signal: leaving.signal })
    setTimeout(() => leaving.abort(), 50)
    await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' })
  })
})
