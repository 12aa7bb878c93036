// Following a tail: every row once and in order to whoever keeps up; to whoever does not, the exact number of rows missed.
import { getEventListeners } from 'node:events'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { rowsOf } from '../../../src/contract/columns.ts'
import type { FollowBatch, FollowQuery } from '../../../src/main/tail/follow.ts'
import { createTail, type Tail } from '../../../src/main/tail/tail.ts'
import { logBatch, type SampleRow } from '../../support/market-messages.ts'
import { idsOf, manualClock, openTail, START } from '../../support/tail.ts'

/** Appends rows with ids that go on counting. */
function appender(tail: Tail) {
  let id = 0
  return (count: number, changes: Partial<SampleRow> = {}) => {
    const rows = Array.from({ length: count }, (_, i) => ({
      symbol: 'BHP',
      id: id + i,
      micros: START + id + i,
      ...changes,
    }))
    tail.append(logBatch('trades', rows, { offset: id }))
    id += count
  }
}

function follow(tail: Tail, query: FollowQuery = {}) {
  const abort = new AbortController()
  const batches = tail.follow(query, abort.signal)[Symbol.asyncIterator]()
  onTestFinished(() => abort.abort())
  const next = async () => (await batches.next()).value as FollowBatch
  return { abort, batches, next }
}

describe('a follower', () => {
  it('gets what comes after it began, and not what was there before', async () => {
    const tail = openTail({ clock: manualClock() })
    const append = appender(tail)
    append(3)
    const { next } = follow(tail)
    append(2)
    const batch = await next()
    expect(idsOf(batch.rows)).toEqual([3, 4])
    expect(batch).toMatchObject({ missed: 0, newest_at: '2026-11-21T10:00:00.000000Z' })
  })

  it('may begin with the last rows from before', async () => {
    const tail = openTail({ clock: manualClock() })
    const append = appender(tail)
    append(5)
    append(5, { symbol: 'RIO' })
    expect(idsOf((await follow(tail, { backlog: 7 }).next()).rows)).toEqual([3, 4, 5, 6, 7, 8, 9])
    expect(idsOf((await follow(tail, { backlog: 2, symbols: ['BHP'] }).next()).rows)).toEqual([3, 4])
    expect(idsOf((await follow(tail, { backlog: 100 }).next()).rows)).toHaveLength(10)
  })

  it('gets only the symbols and the exchange it asked for, also those that come later', async () => {
    const tail = openTail({ clock: manualClock() })
    const append = appender(tail)
    const { next } = follow(tail, { symbols: ['BHP', 'NEW'], exchange: 'asx' })
    append(1)
    append(1, { symbol: 'RIO' })
    append(1, { exchange: 'CXA' })
    append(1, { symbol: 'NEW' })
    expect(idsOf((await next()).rows)).toEqual([0, 3])
  })

  it('gets whole rows', async () => {
    const tail = openTail({ clock: manualClock() })
    const { next } = follow(tail)
    appender(tail)(1, { conditions: ['XT'], vendorData: { venue: 'X' } })
    const [row] = rowsOf((await next()).rows)
    expect(row).toMatchObject({
      message_id: 'ASX:1795255200000:BHP:0',
      trade_conditions: ['XT'],
      vendor_data: { venue: 'X' },
    })
  })

  it('goes on after a cursor exactly where it stopped', async () => {
    const tail = openTail({ clock: manualClock() })
    const append = appender(tail)
    const first = follow(tail, { symbols: ['BHP'] })
    append(4)
    const { cursor } = await first.next()
    append(4, { symbol: 'RIO' })
    append(4)
    expect(idsOf((await follow(tail, { after: cursor }).next()).rows)).toEqual([4, 5, 6, 7, 8, 9, 10, 11])
    expect(idsOf((await follow(tail, { after: cursor, symbols: ['BHP'] }).next()).rows)).toEqual([8, 9, 10, 11])
  })

  it('is told what to do about a cursor that means nothing any more', async () => {
    const tail = openTail({ clock: manualClock(), maxMegabytes: 0.05 })
    const append = appender(tail)
    const { next } = follow(tail)
    append(1)
    const { cursor } = await next()
    for (let k = 0; k < 20; k++) append(60)
    const start = (after: string) => () => tail.follow({ after }, new AbortController().signal)
    expect(start(cursor)).toThrow(/\d+ rows after the cursor have left the tail. Follow without a cursor/)
    expect(start('0badcafe:0')).toThrow('another run of K2')
    expect(start(cursor.replace(/:.*/, ':999999'))).toThrow('another run of K2')
    expect(start('what?')).toThrow('is not a cursor')
    expect(start('what?')).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }))
    expect(start(cursor)).toThrow(expect.objectContaining({ code: 'OFFSET_OUT_OF_RANGE' }))
  })

  it('that is slow gets a few large batches instead of many small ones', async () => {
    const tail = openTail({ clock: manualClock() })
    const append = appender(tail)
    const { next } = follow(tail)
    for (let k = 0; k < 120; k++) append(100)
    const sizes = []
    for (let rows = 0; rows < 12_000; rows += sizes.at(-1)!) sizes.push((await next()).rows.rowCount)
    expect(sizes).toEqual([5000, 5000, 2000])
  })

  it('is woken at once when nothing happened for a while, and then every 20 ms at most', async () => {
    const tail = openTail({ clock: manualClock() })
    const append = appender(tail)
    const { batches } = follow(tail)
    let received = 0
    const sizes: number[] = []
    const reading = (async () => {
      for await (const { rows } of { [Symbol.asyncIterator]: () => batches }) {
        sizes.push(rows.rowCount)
        received += rows.rowCount
        if (received >= 101) return
      }
    })()
    await setImmediate()
    append(1)
    await setImmediate()
    expect(sizes).toEqual([1])
    const startedMs = performance.now()
    for (let k = 0; k < 100; k++) {
      append(1)
      await sleep(1)
    }
    await reading
    expect(sizes.length).toBeLessThanOrEqual((performance.now() - startedMs) / 20 + 2)
  })

  it('ends within 100 ms of its abort, waiting or not, and leaves no listener', async () => {
    const tail = openTail({ clock: manualClock() })
    const { abort, batches } = follow(tail)
    const waiting = batches.next()
    await setImmediate()
    expect(getEventListeners(abort.signal, 'abort')).toHaveLength(1)
    const startedMs = performance.now()
    abort.abort()
    expect((await waiting).done).toBe(true)
    expect(performance.now() - startedMs).toBeLessThan(100)
    expect(getEventListeners(abort.signal, 'abort')).toHaveLength(0)
    appender(tail)(1)
    expect((await batches.next()).done).toBe(true)
  })

  it('ends when the tail is closed', async () => {
    const tail = openTail({ clock: manualClock() })
    const { batches } = follow(tail)
    const waiting = batches.next()
    await setImmediate()
    tail.close()
    expect((await waiting).done).toBe(true)
  })

  it('that leaves early leaves no listener', async () => {
    const tail = openTail({ clock: manualClock() })
    const { abort, batches, next } = follow(tail)
    appender(tail)(1)
    await next()
    await batches.return?.()
    expect(getEventListeners(abort.signal, 'abort')).toHaveLength(0)
  })
})

describe('any followers of any appends', () => {
  const symbols = ['BHP', 'RIO', 'CBA']
  const query = fc.record(
    { symbols: fc.subarray(symbols, { minLength: 1 }), exchange: fc.constantFrom('ASX', 'cxa') },
    { requiredKeys: [] },
  )
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('append' as const),
      rows: fc.array(fc.tuple(fc.constantFrom(...symbols), fc.constantFrom('ASX', 'CXA')), {
        minLength: 1,
        maxLength: 90,
        size: 'max',
      }),
    }),
    fc.record({ kind: fc.constant('pull' as const), reader: fc.nat(2) }),
    fc.record({ kind: fc.constant('reopen' as const), reader: fc.nat(2) }),
  )

  it('give each reader every matching row once, in order, or count it as missed', { timeout: 60_000 }, async () => {
    let missedInAll = 0
    const property = fc.asyncProperty(
      fc.tuple(query, query, query),
      fc.array(step, { maxLength: 60, size: 'max' }),
      async (queries, steps) => {
        const tail = createTail({
          dataType: 'trades',
          minutes: 5,
          maxPerSymbol: 10,
          maxMegabytes: 0.05,
          clock: manualClock(),
        })
        const abort = new AbortController()
        const all: SampleRow[] = []
        const readers = queries.map(own => ({
          own,
          batches: tail.follow(own, abort.signal)[Symbol.asyncIterator](),
          seen: 0,
          cursor: '',
        }))
        const matching = ({ symbols: wanted, exchange }: FollowQuery) =>
          all.filter(
            row => (!wanted || wanted.includes(row.symbol)) && (!exchange || row.exchange === exchange.toUpperCase()),
          )
        const firstHeld = () => all.length - tail.counts().held

        async function pull(reader: (typeof readers)[number]): Promise<void> {
          const due = matching(reader.own).slice(reader.seen)
          if (!due.some(row => Number(row.id) >= firstHeld())) return
          const missed = due.findIndex(row => Number(row.id) >= firstHeld())
          const batch = (await reader.batches.next()).value as FollowBatch
          expect(batch.missed).toBe(missed)
          expect(idsOf(batch.rows)).toEqual(due.slice(missed).map(({ id }) => id))
          reader.seen += due.length
          reader.cursor = batch.cursor
          missedInAll += missed
        }

        for (const action of steps) {
          if (action.kind === 'append') {
            const rows = action.rows.map(([symbol, exchange], i) => ({
              symbol,
              exchange,
              id: all.length + i,
              micros: START,
            }))
            tail.append(logBatch('trades', rows, { offset: all.length }))
            all.push(...rows)
          } else if (action.kind === 'pull') await pull(readers[action.reader])
          else {
            const reader = readers[action.reader]
            const position = Number(reader.cursor.split(':')[1])
            if (!(position >= firstHeld())) continue
            await reader.batches.return?.()
            reader.batches = tail.follow({ ...reader.own, after: reader.cursor }, abort.signal)[Symbol.asyncIterator]()
          }
        }
        for (const reader of readers) await pull(reader)
        abort.abort()
        tail.close()
      },
    )
    await fc.assert(property, { numRuns: 200 })
    expect(missedInAll).toBeGreaterThan(0)
  })
})
