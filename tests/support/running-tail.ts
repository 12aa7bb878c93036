// A tail kept full from an embedded log, for tests.
import { expect, onTestFinished, vi } from 'vitest'
import { createEmbeddedLog } from '../../src/main/log/embedded.ts'
import type { MessageLog } from '../../src/main/log/message-log.ts'
import { runTail, type RunOptions, type TailRun } from '../../src/main/tail/run-tail.ts'
import type { Tail } from '../../src/main/tail/tail.ts'
import { createTurns } from '../../src/main/tail/turns.ts'
import { produced, type SampleRow } from './market-messages.ts'
import { manualClock, openTail, START } from './tail.ts'

export const TRADES = 'market.equities.trades.asx'
export const trade = (id: number, changes: Partial<SampleRow> = {}): SampleRow => ({
  symbol: 'BHP',
  id,
  micros: START,
  ...changes,
})
export const trades = (from: number, count: number) =>
  produced(
    'trades',
    Array.from({ length: count }, (_, i) => trade(from + i)),
  )
export const bhp = { symbol: 'BHP', exchange: 'ASX', windowMinutes: 60, limit: 10_000 }

export async function openLog(topics = [TRADES], maxBytes = 64e6): Promise<MessageLog> {
  const log = createEmbeddedLog({ maxBytes })
  onTestFinished(() => log.close())
  await log.createTopics(topics.map(name => ({ name, partitions: 2 })))
  return log
}

export function run(
  log: MessageLog,
  tail = openTail({ clock: manualClock() }),
  options: Partial<RunOptions> = {},
): { run: TailRun; tail: Tail; warnings: string[] } {
  const warnings: string[] = []
  const logger = { info: () => {}, warn: (message: string) => void warnings.push(message) }
  const running = runTail({ log, tail, minutes: 5, clock: manualClock(), logger, turns: createTurns(5), ...options })
  onTestFinished(() => running.stop())
  return { run: running, tail, warnings }
}

export const untilHeld = (tail: Tail, held: number) =>
  vi.waitFor(() => expect(tail.counts().held).toBe(held), { timeout: 5000, interval: 5 })
