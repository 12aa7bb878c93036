// A tail kept full from a real log: from where, and what it does when the log does not do as hoped.
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { Failure } from '../../../src/contract/failure.ts'
import type { MessageLog, ReadOptions } from '../../../src/main/log/message-log.ts'
import type { LogBatch } from '../../../src/main/market/log-batch.ts'
import type { OffsetVector } from '../../../src/main/market/topic-offsets.ts'
import { produced } from '../../support/market-messages.ts'
import { idsOf, manualClock, MINUTE, openTail, START } from '../../support/tail.ts'
import { TRADES, trade, trades, bhp, openLog, run, untilHeld } from '../../support/running-tail.ts'

describe('a running tail', () => {
  it('says when it has read what the log held as it began, and does not wait for that while it cannot read', async () => {
    const log = await openLog()
    await log.append(TRADES, trades(1, 40))
    const { run: running, tail } = run(log)
    expect(await running.caughtUp(5_000)).toBe(true)
    expect(tail.counts().held).toBe(40)
    const broken = { ...log, topics: () => Promise.reject(new Failure('UNAVAILABLE', 'away')) }
    const startedMs = performance.now()
    expect(await run(broken).run.caughtUp(60_000)).toBe(false)
    expect(performance.now() - startedMs).toBeLessThan(30_000)
  })

  it('does not say where reading goes on in a topic before it has begun there', async () => {
    const log = await openLog()
    await log.append(TRADES, trades(1, 40))
    let begin: (() => void) | undefined
    const startOffsets = () => new Promise<undefined>(resolve => (begin = () => resolve(undefined)))
    const { run: running, tail } = run(log, undefined, { startOffsets })
    await vi.waitFor(() => expect(begin).toBeDefined(), { timeout: 1000 })
    expect(await running.lags()).toEqual([])
    begin!()
    await untilHeld(tail, 40)
    expect((await running.lags()).reduce((sum, { nextOffset }) => sum + nextOffset, 0)).toBe(40)
  })

  it('reads every topic of its kind of data and no other', async () => {
    const log = await openLog([TRADES, 'market.crypto.trades.binance', 'market.equities.quotes.asx', 'other'])
    await log.append(TRADES, trades(1, 2))
    await log.append('market.crypto.trades.binance', trades(3, 1))
    await log.append('market.equities.quotes.asx', produced('quotes', [trade(4)]))
    await log.append('other', trades(5, 1))
    const { tail, run: running } = run(log)
    await untilHeld(tail, 3)
    expect(idsOf(tail.recent(bhp)).sort()).toEqual([1, 2, 3])
    expect(running.isRunning()).toBe(true)
  })

  it('picks up a topic that appears later within a second', async () => {
    const log = await openLog([])
    const { tail } = run(log)
    await sleep(50)
    await log.createTopics([{ name: TRADES, partitions: 2 }])
    await log.append(TRADES, trades(1, 1))
    const startedMs = performance.now()
    await untilHeld(tail, 1)
    expect(performance.now() - startedMs).toBeLessThan(1000)
  })

  it('begins its minutes back, and not with what it would let go at once', async () => {
    const log = await openLog()
    await log.append(TRADES, produced('trades', [trade(1, { logMicros: START - 6 * MINUTE }), trade(2)]))
    const { tail } = run(log)
    await untilHeld(tail, 1)
    expect(tail.counts().total).toBe(1)
  })

  it('says how far behind it is, partition by partition', async () => {
    const log = await openLog()
    const { tail, run: running } = run(log)
    await log.append(TRADES, trades(0, 10))
    await untilHeld(tail, 10)
    const caughtUp = await running.lags()
    expect(caughtUp).toHaveLength(2)
    expect(caughtUp.map(({ nextOffset, lag }) => [nextOffset, lag]).sort()).toEqual([
      [0, 0],
      [10, 0],
    ])
    await running.stop()
    await log.append(TRADES, trades(10, 5))
    expect((await running.lags()).reduce((sum, { lag }) => sum + lag, 0)).toBe(5)
    expect(running.isRunning()).toBe(false)
  })

  it('goes on with what there is when the log has let go of what it had yet to read, and says so', async () => {
    const log = await openLog([TRADES], 100_000)
    const { tail, warnings } = run(log)
    await log.append(TRADES, trades(0, 1))
    await untilHeld(tail, 1)
    // One append larger than the log: its first messages are gone before anyone can read them.
    await log.append(TRADES, trades(1, 5000))
    const [{ earliest, latest }] = (await log.ranges(TRADES)).filter(range => range.latest > 0)
    await untilHeld(tail, 1 + latest - earliest)
    expect(idsOf(tail.recent(bhp)).at(-1)).toBe(5000)
    expect(warnings).toEqual(['The log no longer holds what the tail had yet to read; it goes on after it'])
  })

  it('tries again when the log fails, and is not running meanwhile', async () => {
    const log = await openLog()
    let failures = 2
    const flaky: MessageLog = {
      ...log,
      read(...args) {
        if (failures-- > 0) throw new Failure('UNAVAILABLE', 'The broker is away.')
        return log.read(...args)
      },
    }
    await log.append(TRADES, trades(1, 1))
    const { tail, run: running, warnings } = run(flaky)
    await vi.waitFor(() => expect(running.isRunning()).toBe(false), { interval: 1 })
    await untilHeld(tail, 1)
    expect(running.isRunning()).toBe(true)
    expect(warnings).toEqual([`Tailing ${TRADES} failed and is tried again`])
  })

  it('lets the event loop turn while it works through a backlog', async () => {
    const log = await openLog()
    const chunk = trades(0, 2000)
    for (let k = 0; k < 100; k++) await log.append(TRADES, chunk)
    let turns = 0
    const { tail } = run(log, openTail({ clock: manualClock(), maxMegabytes: 64 }))
    while (tail.counts().total < 200_000) {
      await setImmediate()
      turns++
    }
    expect(turns).toBeGreaterThan(10)
  })

  it('ends at once when stopped, reading or waiting', async () => {
    const log = await openLog()
    const { run: running } = run(log)
    await sleep(20)
    const startedMs = performance.now()
    await running.stop()
    expect(performance.now() - startedMs).toBeLessThan(100)
  })
})

describe('a tail that is started again', () => {
  /** Ten minutes of messages, one a minute, the last one now. */
  async function tenMinutes(log: MessageLog): Promise<void> {
    const rows = Array.from({ length: 10 }, (_, i) => trade(i, { logMicros: START - (9 - i) * MINUTE }))
    await log.append(TRADES, produced('trades', rows))
  }
  async function vectorOf(log: MessageLog, offset: number): Promise<OffsetVector> {
    const partition = (await log.ranges(TRADES)).find(({ latest }) => latest > 0)!.partition
    return [{ cluster: await log.cluster(), epoch: '0', topic: TRADES, next: { [partition]: offset } }]
  }
  const old = () => openTail({ clock: manualClock(), minutes: 5 })

  it('begins where the tables end, so that there is no hole between them', async () => {
    const log = await openLog()
    await tenMinutes(log)
    const vector = await vectorOf(log, 2)
    const { tail } = run(log, old(), { startOffsets: () => Promise.resolve(vector) })
    await untilHeld(tail, 8)
    const { rows, holdsFrom } = tail.rowsFrom(vector, tail.pin(), {}, 100)
    expect(idsOf(rows)).toEqual([2, 3, 4, 5, 6, 7, 8, 9])
    expect(holdsFrom).toBe(true)
    expect(tail.lost()).toEqual([])
  })

  it('holds the whole log while the tables have nothing of it', async () => {
    const log = await openLog()
    await tenMinutes(log)
    const { tail } = run(log, old(), { startOffsets: () => Promise.resolve([]) })
    await untilHeld(tail, 10)
    expect(tail.rowsFrom([], tail.pin(), {}, 100).holdsFrom).toBe(true)
  })

  it('begins at its minutes when that is too much for its memory, and is not whole until the tables are there', async () => {
    const log = await openLog()
    await log.append(
      TRADES,
      produced(
        'trades',
        Array.from({ length: 900 }, (_, i) => trade(i, { logMicros: START - 9 * MINUTE })),
      ),
    )
    await log.append(TRADES, trades(900, 5))
    const vector = await vectorOf(log, 2)
    const small = openTail({ clock: manualClock(), maxMegabytes: 0.1 })
    const { tail } = run(log, small, { startOffsets: () => Promise.resolve(vector) })
    await untilHeld(tail, 5)
    expect(tail.rowsFrom(vector, tail.pin(), {}, 100).holdsFrom).toBe(false)
    expect(tail.lost()).toMatchObject([{ from: 2, to: 900 }])
    tail.noteCommitted(await vectorOf(log, 900))
    expect(tail.rowsFrom(await vectorOf(log, 900), tail.pin(), {}, 100).holdsFrom).toBe(true)
    expect(tail.lost()).toEqual([])
  })

  it('begins at its minutes when nobody can tell where the tables end, and says so', async () => {
    const log = await openLog()
    await tenMinutes(log)
    const away = () => Promise.reject(new Failure('UNAVAILABLE', 'The catalog is away.'))
    const { tail, warnings } = run(log, old(), { startOffsets: away })
    await untilHeld(tail, 6)
    expect(warnings).toEqual(['How far the tables are cannot be told; the tail begins 5 minutes back'])
  })

  it('knows repeats of what lies before its start, and does not hold that', async () => {
    const log = await openLog()
    await log.append(TRADES, produced('trades', [trade(1, { logMicros: START - 30 * MINUTE })]))
    await log.append(TRADES, produced('trades', [trade(1, { logMicros: START }), trade(2)]))
    const { tail } = run(log, openTail({ clock: manualClock(), dedupeMinutes: 60 }), { dedupeMinutes: 60 })
    await untilHeld(tail, 1)
    expect(idsOf(tail.recent(bhp))).toEqual([2])
    expect(tail.counts()).toMatchObject({ duplicates: 1, total: 1 })
  })
})

describe('what is in other forms', () => {
  it('is read in its standard form, and what is no row is counted with the reason', async () => {
    const log = await openLog()
    await log.append(TRADES, trades(1, 2))
    const told: string[] = []
    const tail = openTail({ clock: manualClock(), onUndecodable: ({ reason }) => told.push(reason) })
    const problems = new Map([[0, { reason: 'invalid_value', error: 'price: a word.' } as const]])
    run(log, tail, { standardize: batch => Promise.resolve({ ...batch, problems }) })
    await untilHeld(tail, 1)
    expect(tail.counts().undecodable).toBe(1)
    expect(told).toEqual(['price: a word.'])
  })

  it('waits for the registry without being read again, and the tail says why it waits', async () => {
    const log = await openLog()
    await log.append(TRADES, trades(1, 2))
    let [reads, failures] = [0, 2]
    const counted: MessageLog = { ...log, read: options => (reads++, log.read(options)) }
    const standardize = (batch: LogBatch) => {
      if (failures-- > 0) throw new Failure('UNAVAILABLE', 'The Schema Registry is away.')
      return batch
    }
    const { tail, run: running } = run(counted, undefined, { standardize })
    await vi.waitFor(() => expect(running.trouble()).toBe('The Schema Registry is away.'))
    expect(running.isRunning()).toBe(false)
    await untilHeld(tail, 2)
    expect(running.trouble()).toBeUndefined()
    expect(reads).toBe(1)
  })
})

describe('a log that is away or not what it was', () => {
  it('is told of while it is away, and answers go on', async () => {
    const log = await openLog()
    await log.append(TRADES, trades(1, 1))
    let say: ReadOptions['onTrouble']
    const watched: MessageLog = { ...log, read: options => ((say = options.onTrouble), log.read(options)) }
    const { tail, run: running, warnings } = run(watched)
    await untilHeld(tail, 1)
    say!(new Error('The brokers cannot be reached.'))
    expect(running.trouble()).toBe('The brokers cannot be reached.')
    expect(tail.recent(bhp).rowCount).toBe(1)
    say!(undefined)
    expect(running.isRunning()).toBe(true)
    expect(warnings).toEqual([`Tailing ${TRADES} failed and is tried again`])
  })

  it('is behind by what was last heard while it cannot be asked', async () => {
    const log = await openLog()
    let isAway = false
    const flaky: MessageLog = {
      ...log,
      ranges: topic => (isAway ? Promise.reject(new Failure('UNAVAILABLE', 'Away.')) : log.ranges(topic)),
    }
    const { tail, run: running } = run(flaky)
    await log.append(TRADES, trades(1, 3))
    await untilHeld(tail, 3)
    isAway = true
    const lags = await running.lags()
    expect(lags.map(({ nextOffset, lag }) => [nextOffset, lag]).sort()).toEqual([
      [0, 0],
      [3, 0],
    ])
  })

  it('is read anew when a topic was made anew', async () => {
    const first = await openLog()
    const second = await openLog()
    await first.append(TRADES, trades(1, 3))
    await second.append(TRADES, trades(11, 2))
    let current = first
    const log: MessageLog = {
      ...first,
      topics: async () => (await current.topics()).map(info => ({ ...info, epoch: current === first ? 'one' : 'two' })),
      cluster: () => first.cluster(),
      ranges: topic => current.ranges(topic),
      offsetsAt: (topic, micros) => current.offsetsAt(topic, micros),
      read: options => current.read(options),
    }
    const { tail, warnings } = run(log)
    await untilHeld(tail, 3)
    current = second
    await untilHeld(tail, 5)
    expect(tail.pin().next).toMatchObject([{ epoch: 'two' }])
    expect(idsOf(tail.rowsFrom([], tail.pin(), {}, 10).rows)).toEqual([11, 12])
    expect(warnings).toEqual([`${TRADES} was made anew in the log; the tail begins anew in it`])
  })

  it('that has lost its end is read on from there, and what it lost is not answered any more', async () => {
    const first = await openLog()
    const second = await openLog()
    await first.append(TRADES, trades(1, 5))
    await second.append(TRADES, trades(1, 3))
    let current = first
    let cut: AbortController | undefined
    const log: MessageLog = {
      ...first,
      ranges: topic => current.ranges(topic),
      async *read(options) {
        cut = new AbortController()
        yield* current.read({ ...options, signal: AbortSignal.any([options.signal, cut.signal]) })
      },
    }
    const { tail, warnings } = run(log)
    await untilHeld(tail, 5)
    current = second
    cut!.abort()
    await vi.waitFor(() => expect(warnings).toHaveLength(1))
    await second.append(TRADES, trades(14, 2))
    await untilHeld(tail, 7)
    expect(warnings[0]).toMatch(/^The log ends before what the tail has read/)
    expect(idsOf(tail.rowsFrom([], tail.pin(), {}, 10).rows)).toEqual([14, 15])
  })
  it('that has lost its end and has others there is read on from where they begin', async () => {
    const first = await openLog()
    const second = await openLog()
    await first.append(TRADES, trades(1, 5))
    await second.append(TRADES, trades(1, 3))
    await second.append(TRADES, trades(21, 5))
    const [partition] = (await second.ranges(TRADES)).filter(({ latest }) => latest > 0)
    let cut: AbortController | undefined
    let failure: Failure | undefined
    const log: MessageLog = {
      ...first,
      ranges: topic => (cut?.signal.aborted ? second : first).ranges(topic),
      async *read(options) {
        const refused = failure
        failure = undefined
        if (refused) throw refused
        const isCut = cut !== undefined
        cut ??= new AbortController()
        const signal = isCut ? options.signal : AbortSignal.any([options.signal, cut.signal])
        yield* (isCut ? second : first).read({ ...options, signal })
      },
    }
    const { tail, warnings } = run(log)
    await untilHeld(tail, 5)
    const details = { topic: TRADES, partition: partition.partition, offset: 5, earliest: 0, latest: 3 }
    failure = new Failure('OFFSET_OUT_OF_RANGE', 'It has lost its end.', { details })
    cut!.abort()
    await untilHeld(tail, 10)
    expect(warnings).toEqual([expect.stringMatching(/^The log ends before what the tail has read/)])
    expect(idsOf(tail.rowsFrom([], tail.pin(), {}, 10).rows)).toEqual([21, 22, 23, 24, 25])
  })
})
