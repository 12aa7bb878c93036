// A stream that may not pass a gap or a dead letter: what is committed then, and what happens when it goes on.
import { describe, expect, it, vi } from 'vitest'
import type { WriterSettings } from '../../../src/main/ingest/writer-options.ts'
import { plainProduced, type PlainValue } from '../../support/plain-intake.ts'
import { memoryLog, memoryTables, openWriter, TRADES } from '../../support/writer.ts'

const at = (seq: number, symbol = 'A'): PlainValue => ({ id: `${symbol}${seq}`, symbol, seq })
const numbersIn = (tables: ReturnType<typeof memoryTables>) =>
  tables.trades.rows().map(({ source_sequence: number }) => Number(number))
const eventually = (check: () => unknown) => vi.waitFor(check, { timeout: 5000, interval: 2 })
const next = (table: { vector: () => readonly { next: object }[] }) => table.vector()[0]?.next

async function consume(values: readonly PlainValue[], settings: Partial<WriterSettings>) {
  const log = await memoryLog([TRADES], 1)
  const tables = memoryTables()
  await log.append(TRADES, plainProduced(values))
  const open = (changes: Partial<WriterSettings> = {}) =>
    openWriter({ log, tables, settings: { ...settings, ...changes } })
  const progress = open().progress(new AbortController().signal)
  const states: string[] = []
  const failure = await (async () => {
    for await (const { state } of progress) states.push(state)
  })().then(
    () => undefined,
    (error: unknown) => error,
  )
  return { log, tables, failure, states, open }
}

describe('a gap above 100', () => {
  const values = [at(1), at(2), at(5), at(300), at(301), at(302)]

  it('halts before the commit: the rows before it are there, the gap is recorded, nothing after it is written', async () => {
    const { tables, failure, states } = await consume(values, { onGap: 'halt' })
    expect(failure).toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('294 messages of A') as string })
    expect(states.at(-1)).toBe('halted')
    expect(numbersIn(tables)).toEqual([1, 2, 5])
    expect(next(tables.trades)).toEqual({ 0: 3 })
    expect(tables.sequence_gaps.rows().map(({ received }) => received)).toEqual(['5', '300'])
  })

  it('halts again as long as it is asked to, and is recorded once', async () => {
    const { tables, open } = await consume(values, { onGap: 'halt' })
    const writer = open()
    await eventually(() => expect(writer.status().state).toBe('halted'))
    expect(tables.sequence_gaps.rows()).toHaveLength(2)
    expect(numbersIn(tables)).toEqual([1, 2, 5])
  })

  it('is passed by who goes on without being asked to halt, with every row once', async () => {
    const { tables, open } = await consume(values, { onGap: 'halt' })
    const writer = open({ onGap: 'continue' })
    await eventually(() => expect(writer.status()).toMatchObject({ rows: 3, lag: 0 }))
    expect(numbersIn(tables)).toEqual([1, 2, 5, 300, 301, 302])
    expect(tables.sequence_gaps.rows()).toHaveLength(2)
  })

  it('does not halt who did not ask, nor does a smaller one who did', async () => {
    const { failure } = await consume([...values, at(310)], { onGap: 'continue', maxMessages: 7 })
    expect(failure).toBeUndefined()
    const smaller = await consume([at(1), at(100)], { onGap: 'halt', maxMessages: 2 })
    expect(smaller.failure).toBeUndefined()
    expect(numbersIn(smaller.tables)).toEqual([1, 100])
  })
})

describe('a message that cannot be read', () => {
  const values = [at(1), at(2), 'bad', at(3), 'worse', at(4)]

  it('suspends: the rows before it are there, it is not set aside, and the offset stays at it', async () => {
    const { tables, failure, states } = await consume(values, { onDeadLetter: 'suspend' })
    expect(failure).toMatchObject({ code: 'CORRUPT', message: expect.stringContaining('offset 2') as string })
    expect(failure).toMatchObject({ message: expect.stringContaining('--on-dead-letter skip') as string })
    expect(states.at(-1)).toBe('suspended')
    expect(numbersIn(tables)).toEqual([1, 2])
    expect(next(tables.trades)).toEqual({ 0: 2 })
    expect(tables.dead_letters.rows()).toEqual([])
  })

  it('is set aside by who goes on and skips, once each', async () => {
    const { tables, open } = await consume(values, { onDeadLetter: 'suspend' })
    const writer = open({ onDeadLetter: 'skip' })
    await eventually(() => expect(writer.status()).toMatchObject({ lag: 0, rows: 2 }))
    expect(numbersIn(tables)).toEqual([1, 2, 3, 4])
    expect(tables.dead_letters.rows().map(({ offset }) => offset)).toEqual(['2', '4'])
  })
})

it('stops at whichever comes first in the partition, gap or dead letter', async () => {
  const { tables, states } = await consume([at(1), at(500), 'bad', at(2)], { onGap: 'halt', onDeadLetter: 'suspend' })
  expect(states.at(-1)).toBe('halted')
  expect(numbersIn(tables)).toEqual([1])
})
