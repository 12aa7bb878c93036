// What a snapshot lacks: exactly the rows from its offsets up to a pinned position, and whether that is all of them.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rowsOf } from '../../../src/contract/columns.ts'
import { messageIdOf } from '../../../src/main/market/message-id.ts'
import type { OffsetVector } from '../../../src/main/market/topic-offsets.ts'
import { createTail, type Tail } from '../../../src/main/tail/tail.ts'
import { logBatch, type SampleRow } from '../../support/market-messages.ts'
import { idsOf, manualClock, MINUTE, openTail, SECOND, START } from '../../support/tail.ts'

const ASX = 'market.equities.trades.asx'
const CXA = 'market.equities.trades.cxa'
const life = (topic: string, epoch = '0') => ({ cluster: 'here', epoch, topic })
const vector = (next: Record<string, number>, topic = ASX, epoch = '0'): OffsetVector => [
  { ...life(topic, epoch), next },
]
const trade = (id: number, changes: Partial<SampleRow> = {}): SampleRow => ({
  symbol: 'BHP',
  id,
  micros: START + id,
  ...changes,
})
const fromStart = new Map([0, 1, 2].map(partition => [partition, { offset: 0, isEarliest: true }]))

/** Rows of one partition whose ids are their offsets. */
function append(
  tail: Tail,
  count: number,
  { offset = 0, partition = 0, ...changes }: Partial<SampleRow> & { offset?: number; partition?: number } = {},
): void {
  const rows = Array.from({ length: count }, (_, i) => trade(offset + i, changes))
  tail.append(logBatch('trades', rows, { partition, offset }))
}

describe('the rows from the offsets of a snapshot', () => {
  it('begin with the first that it lacks and end with the last before the pin', () => {
    const tail = openTail({ clock: manualClock() })
    tail.begin(life(ASX), fromStart)
    append(tail, 10)
    const pin = tail.pin()
    append(tail, 10, { offset: 10 })
    const { rows, holdsFrom } = tail.rowsFrom(vector({ 0: 6, 1: 0, 2: 0 }), pin, { symbols: ['BHP'] }, 100)
    expect(idsOf(rows)).toEqual([6, 7, 8, 9])
    expect(holdsFrom).toBe(true)
    expect(pin.next).toEqual([{ ...life(ASX), next: { 0: 10, 1: 0, 2: 0 } }])
  })

  it('are the newest when there are more than the limit, over all symbols or some', () => {
    const tail = openTail({ clock: manualClock() })
    tail.begin(life(ASX), fromStart)
    const rows = [1, 2, 3, 4, 5, 6].map(id => trade(id, { symbol: ['BHP', 'RIO', 'CBA'][id % 3], micros: START - id }))
    tail.append(logBatch('trades', rows))
    const ask = (filter: object, limit: number) => idsOf(tail.rowsFrom([], tail.pin(), filter, limit).rows)
    expect(ask({}, 4)).toEqual([4, 3, 2, 1])
    expect(ask({ symbols: ['BHP', 'RIO', 'NONE'] }, 3)).toEqual([4, 3, 1])
    expect(ask({ symbols: ['CBA'], exchange: 'asx' }, 9)).toEqual([5, 2])
    expect(ask({ exchange: 'cxa' }, 9)).toEqual([])
    expect(ask({ sinceMicros: START - 5, untilMicros: START - 2 }, 9)).toEqual([5, 4, 3])
  })

  it('are whole rows, or only the columns held ready', () => {
    const tail = openTail({ clock: manualClock() })
    append(tail, 1, { sequence: 5 })
    const answer = (width: 'all' | 'hot') => rowsOf(tail.rowsFrom([], tail.pin(), {}, 9, width).rows)[0]
    expect(answer('all')).toMatchObject({ message_id: 'ASX:1795255200000:BHP:0', source_sequence: '5', _offset: '0' })
    expect(Object.keys(answer('hot'))).not.toContain('message_id')
  })

  it('are not all there when the tail began after them, and it says which are not', () => {
    const tail = openTail({ clock: manualClock() })
    tail.begin(life(ASX), new Map([[0, { offset: 50, isEarliest: false }]]))
    append(tail, 10, { offset: 50 })
    const ask = (next: Record<string, number>) => tail.rowsFrom(vector(next), tail.pin(), {}, 100)
    expect(ask({ 0: 50 }).holdsFrom).toBe(true)
    expect(ask({ 0: 57 })).toMatchObject({ holdsFrom: true, lacking: [], rows: { rowCount: 3 } })
    expect(ask({ 0: 49 })).toMatchObject({ holdsFrom: false, rows: { rowCount: 10 } })
    expect(ask({ 0: 49 }).lacking).toEqual([{ topic: ASX, partition: 0, from: 49, to: 50 }])
    expect(ask({}).lacking).toEqual([{ topic: ASX, partition: 0, from: 0, to: 50 }])
    expect(tail.rowsFrom([], tail.pin(), {}, 100).holdsFrom).toBe(false)
  })

  it('are all there when the log never had more than the tail, whatever the snapshot has', () => {
    const tail = openTail({ clock: manualClock() })
    tail.begin(life(ASX), new Map([[0, { offset: 50, isEarliest: true }]]))
    append(tail, 10, { offset: 50 })
    expect(tail.rowsFrom([], tail.pin(), {}, 100)).toMatchObject({ holdsFrom: true, rows: { rowCount: 10 } })
  })

  it('are not all there once some have left, were passed over, or were too large to be held', () => {
    const clock = manualClock()
    const lacking = (tail: Tail) => tail.rowsFrom(vector({ 0: 3 }), tail.pin(), {}, 100).lacking
    const place = { topic: ASX, partition: 0, from: 3 }

    const left = openTail({ clock, minutes: 1 })
    left.begin(life(ASX), fromStart)
    append(left, 5)
    clock.micros += 2 * MINUTE
    left.trim()
    expect(lacking(left)).toEqual([{ ...place, to: 5 }])

    const skipped = openTail({ clock })
    skipped.begin(life(ASX), fromStart)
    append(skipped, 5)
    skipped.skip(ASX, 0, 20)
    append(skipped, 1, { offset: 20 })
    expect(lacking(skipped)).toEqual([{ ...place, to: 20 }])
    expect(skipped.counts()).toMatchObject({ skipped: 15 })
    expect(skipped.rowsFrom(vector({ 0: 20, 1: 0, 2: 0 }), skipped.pin(), {}, 100).holdsFrom).toBe(true)

    const small = openTail({ clock, maxMegabytes: 0.1 })
    small.begin(life(ASX), fromStart)
    const large = trade(5, { conditions: ['x'.repeat(60_000)] })
    small.append(logBatch('trades', [trade(4), large, trade(6)], { offset: 4 }))
    expect(lacking(small)).toEqual([{ ...place, to: 6 }])
  })

  it('are only those of the topic as it is now, when it was made anew', () => {
    const tail = openTail({ clock: manualClock() })
    tail.begin(life(ASX), fromStart)
    append(tail, 5)
    tail.begin(life(ASX, '1'), fromStart)
    append(tail, 3)
    const ask = (boundary: OffsetVector) => tail.rowsFrom(boundary, tail.pin(), {}, 100).rows.rowCount
    expect(ask([])).toBe(3)
    expect(ask(vector({ 0: 2 }, ASX, '1'))).toBe(1)
    // A snapshot of the topic that is gone says nothing about the one there is.
    expect(ask(vector({ 0: 2 }))).toBe(3)
    expect(tail.pin().next).toMatchObject([{ epoch: '1', next: { 0: 3 } }])
  })

  it('cannot be asked for with a position of another run', () => {
    const [one, other] = [openTail(), openTail()]
    expect(() => one.rowsFrom([], other.pin(), {}, 1)).toThrow(
      expect.objectContaining({
        code: 'OFFSET_OUT_OF_RANGE',
        message: expect.stringContaining('another run') as string,
      }),
    )
  })
})

describe('any appends, commits, repeats and snapshots', () => {
  interface Sent {
    topic: string
    partition: number
    offset: number
    row: SampleRow
  }
  const symbols = fc.constantFrom('BHP', 'RIO', 'CBA')
  const place = { topic: fc.constantFrom(ASX, CXA), partition: fc.nat(2) }
  const row = fc.record({
    symbol: symbols,
    late: fc.oneof(fc.constant(0), fc.nat(200)),
    sequence: fc.option(fc.nat(3)),
  })
  const next = fc.array(fc.tuple(fc.constantFrom(ASX, CXA), fc.nat(2), fc.nat(130)), { maxLength: 6 })
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('append' as const),
        ...place,
        rows: fc.array(row, { maxLength: 40, size: 'max' }),
        gap: fc.nat(2),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('repeat' as const), ...place, which: fc.nat(1000) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const), seconds: fc.nat(40) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('commit' as const), next }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('pin' as const) }) },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('ask' as const),
        boundary: next,
        symbols: fc.option(fc.uniqueArray(symbols, { minLength: 1 }), { nil: undefined }),
        since: fc.option(fc.nat(120), { nil: undefined }),
        limit: fc.oneof(fc.integer({ min: 1, max: 10 }), fc.constant(10_000)),
      }),
    },
  )

  function vectorOf(entries: [string, number, number][]): OffsetVector {
    return [ASX, CXA].flatMap(topic => {
      const own = entries.filter(([name]) => name === topic)
      return own.length === 0
        ? []
        : vector(Object.fromEntries(own.map(([, partition, offset]) => [partition, offset])), topic)
    })
  }
  const boundaryOf = (boundary: OffsetVector, { topic, partition }: { topic: string; partition: number }) =>
    boundary.find(said => said.topic === topic)?.next[partition]
  const messageId = ({ row: { micros, symbol, id } }: Sent) => messageIdOf('ASX', micros, symbol, String(id))
  const compare = (a: Sent, b: Sent) =>
    a.row.micros - b.row.micros ||
    (a.row.sequence ?? Infinity) - (b.row.sequence ?? Infinity) ||
    a.partition - b.partition ||
    a.offset - b.offset ||
    (messageId(a) < messageId(b) ? -1 : 1)

  const STARTS: Record<string, number> = { [ASX]: 10, [CXA]: 0 }

  it('give what a plain list gives, and know what they lack', { timeout: 60_000 }, () => {
    const seen = { rows: 0, lacking: 0, whole: 0, evicted: 0, repeats: 0 }
    const property = fc.property(
      fc.boolean(),
      fc.array(step, { minLength: 10, maxLength: 60, size: 'max' }),
      (isWhole, steps) => {
        const clock = manualClock()
        const tail = createTail({
          dataType: 'trades',
          minutes: 1,
          maxPerSymbol: 5,
          maxMegabytes: 0.05,
          clock,
          dedupeMinutes: 60,
        })
        for (const topic of [ASX, CXA])
          tail.begin(
            life(topic),
            new Map(
              [0, 1, 2].map(partition => [partition, { offset: STARTS[topic], isEarliest: isWhole || topic === CXA }]),
            ),
          )
        const ends = new Map<string, number>()
        const sent: Sent[] = []
        let pin = tail.pin()
        let pinned = 0
        let pinnedEnds = new Map<string, number>()
        let id = 0
        let repeats = 0

        const endOf = (topic: string, partition: number) => ends.get(`${topic} ${partition}`) ?? STARTS[topic]
        function send(topic: string, partition: number, rows: SampleRow[], from: number, isRepeat = false): void {
          tail.append(logBatch('trades', rows, { topic, partition, offset: from }))
          ends.set(`${topic} ${partition}`, from + rows.length)
          if (!isRepeat) rows.forEach((row, i) => sent.push({ topic, partition, offset: from + i, row }))
        }

        for (const action of steps) {
          if (action.kind === 'wait') clock.micros += action.seconds * SECOND
          else if (action.kind === 'pin') [pin, pinned, pinnedEnds] = [tail.pin(), sent.length, new Map(ends)]
          else if (action.kind === 'commit') {
            tail.noteCommitted(vectorOf(action.next))
          } else if (action.kind === 'append') {
            const { topic, partition, gap } = action
            const rows = action.rows.map(({ late, ...own }) => ({
              ...own,
              id: id++,
              micros: clock.micros - late * SECOND,
              logMicros: clock.micros,
            }))
            send(topic, partition, rows, endOf(topic, partition) + gap)
          } else if (action.kind === 'repeat') {
            const own = sent.filter(({ topic, partition }) => topic === action.topic && partition === action.partition)
            if (own.length === 0) continue
            const { topic, partition, row } = own[action.which % own.length]
            send(
              topic,
              partition,
              [{ ...row, logMicros: clock.micros, ingestedMicros: clock.micros }],
              endOf(topic, partition),
              true,
            )
            repeats++
          } else {
            const boundary = vectorOf(action.boundary)
            const sinceMicros = action.since === undefined ? undefined : clock.micros - action.since * SECOND
            const { held } = tail.counts()
            const answer = tail.rowsFrom(boundary, pin, { symbols: action.symbols, sinceMicros }, action.limit)
            const first = sent.length - held
            const isWanted = (one: Sent) => one.offset >= (boundaryOf(boundary, one) ?? 0)
            const expected = sent
              .slice(first, Math.max(first, pinned))
              .filter(isWanted)
              .filter(
                ({ row }) =>
                  (!action.symbols || (action.symbols as string[]).includes(row.symbol)) &&
                  row.micros >= (sinceMicros ?? -Infinity),
              )
              .sort(compare)
              .slice(-action.limit)
            expect(rowsOf(answer.rows).map(({ _topic, _partition, _offset }) => [_topic, _partition, _offset])).toEqual(
              expected.map(({ topic, partition, offset }) => [topic, partition, String(offset)]),
            )
            // What is lacking is told by partition, not by symbol, and in offsets, of which some may be of no row.
            const isLacking = [ASX, CXA].some(topic =>
              [0, 1, 2].some(partition => {
                const from = boundaryOf(boundary, { topic, partition }) ?? 0
                const gone = sent.slice(0, first).filter(one => one.topic === topic && one.partition === partition)
                const before = topic === ASX && !isWhole ? STARTS[topic] : 0
                const wholeFrom = Math.max(before, ...gone.map(({ offset }) => offset + 1))
                return from < Math.min(wholeFrom, pinnedEnds.get(`${topic} ${partition}`) ?? STARTS[topic])
              }),
            )
            expect(answer.holdsFrom).toBe(!isLacking)
            expect(answer.lacking.length === 0).toBe(answer.holdsFrom)
            seen.rows += expected.length
            seen.lacking += answer.holdsFrom ? 0 : 1
            seen.whole += answer.holdsFrom && expected.length > 0 ? 1 : 0
          }
        }
        const { held, total, duplicates } = tail.counts()
        expect([total, duplicates]).toEqual([sent.length, repeats])
        seen.evicted += sent.length - held
        seen.repeats += repeats
        tail.close()
      },
    )
    fc.assert(property, { numRuns: 300 })
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(50)
  })
})
