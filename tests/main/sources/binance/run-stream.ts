// A stream run through the dispatcher against the local server, for tests.
import { expect, onTestFinished, vi } from 'vitest'
import type { z } from 'zod'
import { writer } from '../../../../src/contract/writer.ts'
import { createEmbeddedLog } from '../../../../src/main/log/embedded.ts'
import type { MessageLog } from '../../../../src/main/log/message-log.ts'
import { EMBEDDED_SCHEMA_IDS } from '../../../../src/main/market/avro-schemas.ts'
import {
  binanceEngine,
  type BinanceEngine,
  type BinanceOptions,
} from '../../../../src/main/sources/binance/handlers.ts'
import { createDispatch } from '../../../../src/main/wire/dispatch.ts'
import { startBinanceServer, type BinanceServer } from '../../../support/binance-server.ts'
import { makeTempFolder } from '../../../support/temp-folder.ts'
import { tradesIn } from './read-messages.ts'

export type Progress = z.output<(typeof writer)['ingest.stream']['output']>
export const SOON = { timeout: 10_000, interval: 5 }
const QUICK = { firstRetryMs: 10, mostRetryMs: 50, overlapMs: 50, graceMs: 50, patienceMs: 200 }

export function openLog(): MessageLog {
  const log = createEmbeddedLog({ maxBytes: 256e6 })
  onTestFinished(() => log.close())
  return log
}

export async function openServer(): Promise<BinanceServer> {
  const server = await startBinanceServer()
  onTestFinished(() => server.stop())
  return server
}

export interface Running {
  /** The newest report. */
  now: () => Progress
  reports: Progress[]
  stop: () => Promise<Progress>
  /** When it ends by itself. */
  ended: Promise<Progress>
  counted: Map<string, number>
  /** Of the engine, as when K2 ends. */
  close: () => Promise<void>
  refill: BinanceEngine['refill']
}

export function start(
  server: BinanceServer,
  log: MessageLog,
  options: Partial<BinanceOptions> & { maxMessages?: number; symbols?: string[] } = {},
): Running {
  const { maxMessages, symbols = ['BTCUSDT', 'ETHUSDT'], ...rest } = options
  const counted = new Map<string, number>()
  const engine = binanceEngine({
    log: async () => log,
    schemaIdOf: (_, table) => EMBEDDED_SCHEMA_IDS[table],
    symbols: ['BTCUSDT'],
    websocketUrl: server.url,
    folder: makeTempFolder(),
    metrics: {
      add: (name: string, amount: number, labels: Readonly<Record<string, string>> = {}) => {
        const key = [name, ...Object.values(labels)].join(' ')
        counted.set(key, (counted.get(key) ?? 0) + amount)
      },
      set: (name, value) => void counted.set(name, value),
    },
    ...rest,
    timing: { ...QUICK, ...rest.timing },
  })
  const contract = { 'ingest.stream': writer['ingest.stream'] }
  const dispatch = createDispatch(contract, engine.handlers, { checkAnswers: true })
  const abort = new AbortController()
  const context = { signal: abort.signal, correlationId: 'test', door: 'direct' as const }
  const input = { source: 'binance', symbols, ...(maxMessages && { max_messages: maxMessages }) }
  const reports: Progress[] = []
  const run = async () => {
    for await (const report of dispatch('ingest.stream', input, context) as AsyncIterable<Progress>)
      reports.push(report)
    return reports.at(-1)!
  }
  const ended = run()
  ended.catch(() => {})
  const stop = async () => {
    abort.abort()
    return ended
  }
  onTestFinished(() =>
    stop().then(
      () => {},
      () => {},
    ),
  )
  return { now: () => reports.at(-1)!, reports, stop, ended, counted, close: engine.close, refill: engine.refill }
}

export const connected = (server: BinanceServer, count = 1) => vi.waitFor(() => expect(server.open()).toBe(count), SOON)

export async function held(log: MessageLog, count: number): Promise<void> {
  await vi.waitFor(async () => expect((await tradesIn(log)).length).toBe(count), SOON)
}
