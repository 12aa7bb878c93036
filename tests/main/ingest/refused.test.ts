// What a writer does about a wrong password or a missing right: it says so, and goes on when that is set right.
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { Failure } from '../../../src/contract/failure.ts'
import type { MessageLog } from '../../../src/main/log/message-log.ts'
import { plainProduced } from '../../support/plain-intake.ts'
import { memoryLog, memoryTables, openWriter, TRADES } from '../../support/writer.ts'

const trades = (from: number, count: number) =>
  plainProduced(Array.from({ length: count }, (_, i) => ({ id: `A${from + i}`, symbol: 'A', seq: from + i })))
const eventually = (check: () => unknown) => vi.waitFor(check, { timeout: 5000, interval: 2 })
const numbersIn = (tables: ReturnType<typeof memoryTables>) =>
  tables.trades.rows().map(({ source_sequence: number }) => Number(number))
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1)

describe('what a server refuses until somebody sets it right there', () => {
  const refused = () => new Failure('UNAUTHORIZED', 'Kafka refuses user k2; check K2_KAFKA_SASL_PASSWORD.')
  const follow = async (writer: ReturnType<typeof openWriter>) => {
    for await (const { rows } of writer.progress(new AbortController().signal)) expect(rows).toBe(0)
  }

  it('is a clear state from the first look on, and is written when it is right, without a restart', async () => {
    const log = await memoryLog([TRADES], 1)
    const tables = memoryTables()
    let isRefused = true
    const guarded: MessageLog = { ...log, topics: () => (isRefused ? Promise.reject(refused()) : log.topics()) }
    await log.append(TRADES, trades(1, 5))
    const writer = openWriter({ log: guarded, tables })
    await eventually(() => expect(writer.status().state).toBe('stopped'))
    expect(writer.status().why).toMatch(/K2_KAFKA_SASL_PASSWORD\. It is tried again by itself/)
    isRefused = false
    await eventually(() => expect(writer.status()).toMatchObject({ state: 'writing', why: null, rows: 5 }))
  })

  it('ends a writer that somebody asked for at once, with the reason as it is', async () => {
    const log = await memoryLog([TRADES], 1)
    const writer = openWriter({ log: { ...log, topics: () => Promise.reject(refused()) }, tables: memoryTables() })
    await expect(follow(writer)).rejects.toMatchObject({ code: 'UNAUTHORIZED', message: refused().message })
  })

  it('is a clear state when it comes while the table is written, and nothing is lost or doubled', async () => {
    const log = await memoryLog([TRADES], 1)
    let isRefused = true
    const tables = memoryTables((operation, table) =>
      isRefused && operation === 'stage' && table === 'trades'
        ? { before: new Failure('FORBIDDEN', 'The bucket refuses this key.') }
        : undefined,
    )
    await log.append(TRADES, trades(1, 5))
    const writer = openWriter({ log, tables })
    await eventually(() => expect(writer.status().state).toBe('stopped'))
    expect(writer.status().why).toMatch(/^The bucket refuses this key\. It is tried again/)
    await sleep(60)
    expect(writer.status()).toMatchObject({ rows: 0 })
    isRefused = false
    await log.append(TRADES, trades(6, 5))
    await eventually(() => expect(writer.status()).toMatchObject({ state: 'writing', why: null, rows: 10 }))
    expect(numbersIn(tables)).toEqual(upTo(10))
  })
})
