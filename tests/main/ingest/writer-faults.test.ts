// What a writer does when a server is away, when nobody knows how a commit ended, and when somebody else writes.
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { Failure } from '../../../src/contract/failure.ts'
import type { MessageLog } from '../../../src/main/log/message-log.ts'
import type { TableFault, TableOperation } from '../../support/memory-stream-table.ts'
import { lost } from '../../support/memory-stream-table.ts'
import { plainProduced } from '../../support/plain-intake.ts'
import { memoryLog, memoryTables, openWriter, quickBreakers, QUOTES, TRADES } from '../../support/writer.ts'

const trades = (from: number, count: number) =>
  plainProduced(Array.from({ length: count }, (_, i) => ({ id: `A${from + i}`, symbol: 'A', seq: from + i })))
const away = () => new Failure('UNAVAILABLE', 'The server is away.')
const eventually = (check: () => unknown) => vi.waitFor(check, { timeout: 5000, interval: 2 })
const numbersIn = (tables: ReturnType<typeof memoryTables>) =>
  tables.trades.rows().map(({ source_sequence: number }) => Number(number))
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1)

/** Faults of the table of trades, by operation, the first one first; then none. */
function faulty(faults: Partial<Record<TableOperation, TableFault[]>>) {
  return memoryTables((operation, table) => (table === 'trades' ? faults[operation]?.shift() : undefined))
}

describe('a server that is away', () => {
  it.each(['stage', 'commit', 'offsets'] as const)(
    'for a moment: %s is tried again, and nothing is lost or doubled',
    async operation => {
      const log = await memoryLog()
      const tables = faulty({ [operation]: [{ before: away() }, { before: away() }] })
      await log.append(TRADES, trades(1, 5))
      openWriter({ log, tables })
      await eventually(() => expect(numbersIn(tables)).toEqual(upTo(5)))
    },
  )

  it('for long: what was taken in is held, says so, and is written when it is back, without reading it again', async () => {
    const log = await memoryLog([TRADES], 1)
    let isAway = true
    const tables = memoryTables((operation, table) =>
      operation === 'commit' && table === 'trades' && isAway ? { before: away() } : undefined,
    )
    let reads = 0
    const counted: MessageLog = { ...log, read: options => (reads++, log.read(options)) }
    const writer = openWriter({ log: counted, tables, breakers: quickBreakers(20) })
    await log.append(TRADES, trades(1, 5))
    await eventually(() => expect(writer.status()).toMatchObject({ state: 'waiting', rows: 0 }))
    await eventually(() => {
      const { breakers, why } = writer.status()
      expect(breakers.find(({ name }) => name === 'catalog')).toMatchObject({ state: 'open' })
      expect(why).toBe('The server is away.')
    })
    await log.append(TRADES, trades(6, 5))
    isAway = false
    await eventually(() => expect(writer.status()).toMatchObject({ state: 'writing', why: null, rows: 10 }))
    expect(numbersIn(tables)).toEqual(upTo(10))
    expect(reads).toBe(1)
  })

  it('and is the registry: the batch waits, and those before it are committed meanwhile', async () => {
    const log = await memoryLog([TRADES], 1)
    const tables = memoryTables()
    let isAway = false
    const writer = openWriter({
      log,
      tables,
      standardize: async batch => {
        if (isAway) throw away()
        return batch
      },
    })
    await log.append(TRADES, trades(1, 3))
    await eventually(() => expect(writer.status().messages).toBe(3))
    isAway = true
    await log.append(TRADES, trades(4, 3))
    await eventually(() => expect(writer.status()).toMatchObject({ state: 'waiting', rows: 3, messages: 3 }))
    isAway = false
    await eventually(() => expect(numbersIn(tables)).toEqual(upTo(6)))
    await eventually(() => expect(writer.status().state).toBe('writing'))
  })

  it('and is the log: reading goes on where it was', async () => {
    const log = await memoryLog([TRADES], 1)
    const tables = memoryTables()
    let reads = 0
    const flaky: MessageLog = {
      ...log,
      async *read(options) {
        reads++
        for await (const batch of log.read(options)) {
          yield batch
          if (reads < 4) throw away()
        }
      },
    }
    openWriter({ log: flaky, tables })
    for (let i = 0; i < 6; i++) {
      await log.append(TRADES, trades(1 + 5 * i, 5))
      await sleep(5)
    }
    await eventually(() => expect(numbersIn(tables)).toEqual(upTo(30)))
    expect(reads).toBe(4)
  })

  it.each(['while it is read', 'before it is read'])(
    'and is not the log, but a topic that is gone %s: other tables go on',
    async when => {
      const log = await memoryLog([TRADES, QUOTES], 1)
      const tables = memoryTables()
      const gone = () => new Failure('NOT_FOUND', 'There is no such topic.')
      const isRead = when === 'while it is read'
      let reads = 0
      const partly: MessageLog = {
        ...log,
        async *read(options) {
          if (options.topics.includes(QUOTES)) {
            reads++
            throw gone()
          }
          yield* log.read(options)
        },
        async ranges(topic) {
          if (!isRead && topic === QUOTES && ++reads > 0) throw gone()
          return log.ranges(topic)
        },
      }
      const writer = openWriter({ log: partly, tables, settings: { topics: [TRADES, QUOTES] } })
      await eventually(() => expect(reads).toBeGreaterThan(12))
      expect(writer.status().breakers.find(({ name }) => name === 'kafka')).toMatchObject({
        state: 'closed',
        failures: 0,
      })
      await log.append(TRADES, trades(1, 5))
      await eventually(() => expect(numbersIn(tables)).toEqual(upTo(5)))
      expect(writer.status()).toMatchObject({ state: 'waiting', why: expect.stringContaining('waited for') as string })
    },
  )

  it('says that it waits while the log is in trouble, and no longer when it is not', async () => {
    const log = await memoryLog([TRADES], 1)
    let tell: ((trouble: Error | undefined) => void) | undefined
    const troubled: MessageLog = { ...log, read: options => ((tell = options.onTrouble), log.read(options)) }
    const writer = openWriter({ log: troubled, tables: memoryTables() })
    await eventually(() => expect(tell).toBeDefined())
    tell!(away())
    expect(writer.status()).toMatchObject({ state: 'waiting', why: 'The server is away.' })
    tell!(undefined)
    expect(writer.status()).toMatchObject({ state: 'writing', why: null })
  })

  it('for long and is the log: its breaker opens, and closes when it is back, with nothing read again', async () => {
    const log = await memoryLog([TRADES], 1)
    let isAway = false
    let reads = 0
    let tell: ((trouble: Error | undefined) => void) | undefined
    const leaving: MessageLog = {
      ...log,
      topics: () => (isAway ? Promise.reject(away()) : log.topics()),
      read: options => (reads++, (tell = options.onTrouble), log.read(options)),
    }
    const tables = memoryTables()
    const writer = openWriter({ log: leaving, tables })
    const kafka = () => writer.status().breakers.find(({ name }) => name === 'kafka')
    await log.append(TRADES, trades(1, 5))
    await eventually(() => expect(writer.status()).toMatchObject({ state: 'writing', rows: 5 }))
    isAway = true
    tell!(away()) // once, however long it stays away
    await eventually(() => expect(kafka()).toMatchObject({ state: 'open', why: 'The server is away.' }))
    expect(writer.status()).toMatchObject({ state: 'waiting', why: 'The server is away.' })
    isAway = false
    tell!(undefined)
    await log.append(TRADES, trades(6, 5))
    await eventually(() => expect(kafka()).toMatchObject({ state: 'closed', failures: 0, why: null }))
    await eventually(() => expect(writer.status()).toMatchObject({ state: 'writing', messages: 10, rows: 10 }))
    expect(numbersIn(tables)).toEqual(upTo(10))
    expect(reads).toBe(1)
  })

  it('does not keep the writer from ending: what was held is left to the log', async () => {
    const log = await memoryLog()
    const tables = memoryTables(operation => (operation === 'stage' ? { before: away() } : undefined))
    const writer = openWriter({ log, tables })
    await log.append(TRADES, trades(1, 4))
    await eventually(() => expect(writer.status().state).toBe('waiting'))
    const stopping = writer.stop()
    await writer.stop()
    expect((await stopping).unfinished).toEqual([expect.stringContaining('4 rows')])
    expect(tables.trades.vector()).toEqual([])
  })
})

describe('what cannot be mended by trying again', () => {
  it('ends the table at once with its reason, takes away what it staged, and ends progress with it', async () => {
    const log = await memoryLog()
    const tables = faulty({ commit: [{ before: new Failure('CORRUPT', 'The metadata cannot be read.') }] })
    await log.append(TRADES, trades(1, 5))
    const writer = openWriter({ log, tables })
    const follow = async () => {
      for await (const progress of writer.progress(new AbortController().signal)) expect(progress.rows).toBe(0)
    }
    await expect(follow()).rejects.toMatchObject({ code: 'CORRUPT' })
    expect(writer.status()).toMatchObject({ state: 'stopped', why: 'The metadata cannot be read.' })
    expect(tables.trades.stray()).toBe(0)
  })

  it('is refused before anything is read: another log, or one that no longer holds what follows', async () => {
    const log = await memoryLog([TRADES], 1)
    await log.append(TRADES, trades(1, 5))
    const tables = memoryTables()
    for (const [vector, code] of [
      [{ cluster: 'before', epoch: '0', topic: TRADES, next: { 0: 2 } }, 'LOG_RESET'],
      [{ cluster: 'c', epoch: '0', topic: TRADES, next: { 0: 6 } }, 'LOG_RESET'],
    ] as const) {
      tables.trades.setVector([vector])
      const writer = openWriter({ log, tables })
      await eventually(() => expect(writer.status()).toMatchObject({ state: 'stopped', messages: 0 }))
      expect(writer.status().why).toContain('k2 ingest offsets set')
      const next = writer.progress(new AbortController().signal)
      await next.next()
      await next.next()
      await expect(next.next()).rejects.toMatchObject({ code })
    }
    expect(tables.trades.commits()).toEqual([])
  })

  it('is told when retention overtakes: what came before is committed, and nothing is jumped', async () => {
    const log = await memoryLog([TRADES], 1)
    const tables = memoryTables()
    const overtaken: MessageLog = {
      ...log,
      async *read(options) {
        for await (const batch of log.read(options)) {
          yield batch
          const details = { topic: TRADES, partition: 0, offset: 5, earliest: 900, latest: 1000 }
          throw new Failure('OFFSET_OUT_OF_RANGE', 'Gone.', { details })
        }
      },
    }
    await log.append(TRADES, trades(1, 5))
    const writer = openWriter({ log: overtaken, tables })
    await eventually(() => expect(writer.status().state).toBe('stopped'))
    expect(writer.status().why).toMatch(/895 messages.*k2 ingest offsets set/)
    expect(numbersIn(tables)).toEqual(upTo(5))
  })

  it('is a topic that is made anew while it is written', async () => {
    const log = await memoryLog([TRADES], 1)
    let epoch = '0'
    const renewed: MessageLog = {
      ...log,
      topics: async () => (await log.topics()).map(info => ({ ...info, epoch })),
    }
    const writer = openWriter({ log: renewed, tables: memoryTables() })
    await eventually(() => expect(writer.status().state).toBe('writing'))
    epoch = '1'
    await eventually(() => expect(writer.status()).toMatchObject({ state: 'stopped' }))
    expect(writer.status().why).toContain('deleted and made anew')
  })
})

describe('a commit of which nobody knows how it ended', () => {
  it.each([
    ['landed', [{ after: lost() }]],
    ['did not land', [{ before: lost() }]],
    ['did not land, twice, and the table could not be asked at first', [{ before: lost() }, { before: lost() }]],
  ] as const)('%s: the rows are there once', async (_, commits) => {
    const log = await memoryLog()
    const tables = faulty({ commit: [...commits] })
    await log.append(TRADES, trades(1, 5))
    const writer = openWriter({ log, tables })
    await eventually(() => expect(writer.status().rows).toBe(5))
    await log.append(TRADES, trades(6, 5))
    await eventually(() => expect(writer.status().rows).toBe(10))
    expect(numbersIn(tables)).toEqual(upTo(10))
  })

  it('lands after the table was asked: being fenced by it is seen for what it is', async () => {
    const log = await memoryLog()
    const tables = faulty({ commit: [{ before: lost() }, { after: new Failure('FENCED', 'by ourselves') }] })
    await log.append(TRADES, trades(1, 5))
    const writer = openWriter({ log, tables })
    await eventually(() => expect(writer.status()).toMatchObject({ state: 'writing', rows: 5 }))
    expect(numbersIn(tables)).toEqual(upTo(5))
  })

  it('is another writer, when the table says neither what it said nor what was committed', async () => {
    const log = await memoryLog([TRADES], 1)
    const tables = memoryTables((operation, table) => {
      if (operation !== 'commit' || table !== 'trades') return undefined
      tables.trades.setVector([{ cluster: 'c', epoch: '0', topic: TRADES, next: { 0: 3 } }])
      return { before: lost() }
    })
    await log.append(TRADES, trades(1, 5))
    const writer = openWriter({ log, tables })
    await eventually(() => expect(writer.status()).toMatchObject({ state: 'following', rows: 0 }))
  })
})

describe('another writer', () => {
  it('that has committed meanwhile: a zombie changes nothing, follows, and says why', async () => {
    const log = await memoryLog()
    let wake = () => {}
    const asleep = new Promise<undefined>(resolve => (wake = () => resolve(undefined)))
    let isAsleep = true
    const tables = memoryTables((operation, table) =>
      isAsleep && operation === 'commit' && table === 'trades' ? asleep : undefined,
    )
    await log.append(TRADES, trades(1, 5))
    const zombie = openWriter({ log, tables })
    await eventually(() => expect(zombie.status().messages).toBe(5))
    await sleep(40)
    isAsleep = false
    const writer = openWriter({ log, tables })
    await eventually(() => expect(writer.status().rows).toBe(5))
    wake()
    await eventually(() => expect(zombie.status()).toMatchObject({ state: 'following', rows: 0 }))
    expect(zombie.status().why).toContain('Another writer')
    await log.append(TRADES, trades(6, 5))
    await eventually(() => expect(writer.status().rows).toBe(10))
    expect(numbersIn(tables)).toEqual(upTo(10))
    expect(tables.trades.stray()).toBe(0)
  })

  it('ends one that was asked to write, with FENCED', async () => {
    const log = await memoryLog([TRADES], 1)
    const tables = memoryTables()
    const writer = openWriter({ log, tables, settings: { whenFenced: 'fail' } })
    await eventually(() => expect(writer.status().state).toBe('writing'))
    expect(writer.isTheWriter('trades')).toBe(true)
    tables.trades.setVector([{ cluster: 'c', epoch: '0', topic: TRADES, next: { 0: 0 } }])
    await log.append(TRADES, trades(1, 5))
    const follow = async () => {
      for await (const { rows } of writer.progress(new AbortController().signal)) expect(rows).toBe(0)
    }
    await expect(follow()).rejects.toMatchObject({ code: 'FENCED' })
    expect(writer.isTheWriter('trades')).toBe(false)
  })

  it('that holds the lease of one table leaves it a writer of the others', async () => {
    const log = await memoryLog([TRADES, QUOTES], 1)
    const heldBy = new Set(['trades', 'quotes'])
    const lost = new Promise<Error>(() => {})
    const writer = openWriter({
      log,
      tables: memoryTables(),
      settings: { topics: [TRADES, QUOTES] },
      acquireLease: async table =>
        heldBy.has(table) ? { heldBy: 'k2 on desk-7' } : { held: { lost, release: async () => {} } },
    })
    await eventually(() => expect(writer.status().state).toBe('following'))
    const written = () => (['trades', 'quotes', 'dead_letters'] as const).filter(table => writer.isTheWriter(table))
    await eventually(() => expect(written()).toEqual([]))
    heldBy.delete('quotes')
    await eventually(() => expect(written()).toEqual(['quotes', 'dead_letters']))
    expect(writer.status().state).toBe('following')
  })

  it('that holds the lease is left alone, and taken over from when it lets go', async () => {
    const log = await memoryLog([TRADES], 1)
    const tables = memoryTables()
    await log.append(TRADES, trades(1, 5))
    let holder: string | undefined = 'k2 on desk-7'
    let lose: (why: Error) => void = () => {}
    const released: string[] = []
    const acquireLease = async (table: string) => {
      if (holder) return { heldBy: holder }
      const lost = new Promise<Error>(resolve => (lose = resolve))
      return { held: { lost, release: async () => void released.push(table) } }
    }
    const writer = openWriter({ log, tables, acquireLease })
    await eventually(() => expect(writer.status()).toMatchObject({ state: 'following', messages: 0 }))
    expect(writer.status().why).toContain('desk-7')
    holder = undefined
    await eventually(() => expect(writer.status()).toMatchObject({ state: 'writing', rows: 5 }))
    holder = 'k2 on desk-8'
    lose(new Error('It could not be renewed.'))
    await eventually(() => expect(writer.status().state).toBe('following'))
    holder = undefined
    await log.append(TRADES, trades(6, 5))
    await eventually(() => expect(numbersIn(tables)).toEqual(upTo(10)))
    await writer.stop()
    expect(released).toEqual(['trades', 'trades'])
  })
})
