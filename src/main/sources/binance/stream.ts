// The whole of it: what the exchange says, each trade once and none left out, into the log or onto the disk before it.
import { join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import { openHttp } from '../../base/http.ts'
import { sleepUnlessAborted } from '../../base/retry.ts'
import type { MessageLog } from '../../log/message-log.ts'
import { ensureTopics } from '../ensure-topics.ts'
import { createBackfill } from './backfill.ts'
import { createEventEncoder, QUOTES_TOPIC, TRADES_TOPIC } from './encode-event.ts'
import { keepMisunderstood } from './misunderstood.ts'
import type { BinanceLog, BinanceMetrics } from './observe.ts'
import { createOutbox } from './outbox.ts'
import { learnCurrencies, learnSchemaIds, type SchemaIdOf } from './prepare.ts'
import { createRest, restBaseOf } from './rest.ts'
import { createSpill } from './spill.ts'
import { stayConnected, TIMING, type Timing } from './stay-connected.ts'
import { streamsOf } from './streams.ts'
import { createEventTaker } from './take-events.ts'
import { keepTradeIds } from './keep-trade-ids.ts'
import { countIds, createTradeIds, type IdRange } from './trade-ids.ts'

export interface StreamOptions {
  log: MessageLog
  schemaIdOf: SchemaIdOf
  /** As Binance names them, in upper case. */
  symbols: readonly string[]
  /** Base address of the stream, and of its REST where that does not follow from it. */
  websocketUrl: string
  restUrl?: string
  /** Trusted in the place of the well-known authorities, PEM. */
  ca?: string
  /** For what the log does not take just now, and for what is not understood. */
  folder: string
  maxSpillBytes?: number
  maxMessages?: number
  timing?: Partial<Timing> & { patienceMs?: number; graceMs?: number }
  clock: Clock
  metrics: BinanceMetrics
  logger: BinanceLog
  /** Given while the stream runs: fetches those that it has given up, or that came before it; gives how many. */
  onRefill?: (refill: Refill) => void
}

export type Refill = (symbol: string, gap: IdRange) => number

export interface StreamTotals {
  state: 'connecting' | 'connected' | 'waiting' | 'stopped'
  messages: number
  trades: number
  quotes: number
  errors: number
  gaps: number
  backfilled: number
  reconnects: number
  why: string | null
}

const MOST_SPILL_BYTES = 1024 ** 3
const REPORT_MS = 200
const ROOM_LOOK_MS = 100
const REST_TIMEOUT_MS = 5000
const MOST_TOPICS_MS = 5000

/**
 * Runs until the signal aborts, or so many messages have come, and gives the totals then. Fails when the log refuses for
 * good; what was taken in until then is on the disk.
 */
export async function runBinanceStream(
  options: StreamOptions,
  report: (totals: StreamTotals) => void,
  signal: AbortSignal,
): Promise<StreamTotals> {
  const { log, symbols, websocketUrl, ca, folder, clock, metrics, logger } = options
  const timing = { ...TIMING, ...options.timing }
  const stopping = new AbortController()
  const stop = AbortSignal.any([signal, stopping.signal])
  const totals: StreamTotals = {
    state: 'connecting',
    messages: 0,
    trades: 0,
    quotes: 0,
    errors: 0,
    gaps: 0,
    backfilled: 0,
    reconnects: 0,
    why: null,
  }
  const tell = (change: Partial<StreamTotals>) => report({ ...Object.assign(totals, change) })

  const spill = await createSpill({
    folder: join(folder, 'spill'),
    maxBytes: options.maxSpillBytes ?? MOST_SPILL_BYTES,
    onDamage({ isEnd, ...damage }) {
      if (isEnd) logger.warn('the end of a spill file is cut off, as after a crash', damage)
      else logger.warn('messages on the disk are damaged and lost; the log gets what is behind them', damage)
    },
  })
  if (spill.count() > 0)
    logger.info('messages of an earlier run go to the log before any new ones', { messages: spill.count() })
  const http = openHttp({ ca, timeoutMs: REST_TIMEOUT_MS })
  const rest = createRest(options.restUrl ?? restBaseOf(websocketUrl), http)
  const misunderstood = keepMisunderstood(join(folder, 'not-understood.jsonl'), error =>
    logger.warn('messages that were not understood could not be kept', { error }),
  )
  let linkWhy: string | null = null
  let topicsReady: Promise<void> | undefined
  const makeTopics = () =>
    (topicsReady ??= ensureTopics(log, [TRADES_TOPIC, QUOTES_TOPIC]).catch((error: unknown) => {
      topicsReady = undefined
      throw error
    }))
  const outbox = createOutbox({
    async append(topic, messages) {
      await makeTopics()
      await log.append(topic, messages)
    },
    spill,
    patienceMs: timing.patienceMs,
    onSpilled: messages => metrics.add('k2_messages_spilled_total', messages),
    onTrouble(trouble) {
      if (trouble) logger.warn('the log does not take messages; they go to the disk', { error: trouble.message })
      else logger.info('the log takes messages again', { on_disk: spill.count() })
      tell({ why: trouble?.message ?? linkWhy })
      if (outbox.failure()) stopping.abort()
    },
  })
  const kept = keepTradeIds({
    file: join(folder, 'trade-ids.json'),
    source: websocketUrl,
    settled: outbox.settled,
    onTrouble: error => logger.warn('the last trades could not be noted; after a restart no gap is seen', { error }),
  })
  const left = await kept.read(symbols)
  const ids = createTradeIds(left)
  const whenRoom = async () => {
    while (outbox.isFull() && !stop.aborted) await sleepUnlessAborted(ROOM_LOOK_MS, stop).catch(() => {})
  }

  async function follow(): Promise<void> {
    const made = makeTopics().catch(() => {}) // told by the first message that is to go there
    const schemaIds = await learnSchemaIds(options.schemaIdOf, ({ message }) => tell({ why: message }), stop)
    const encoder = createEventEncoder(schemaIds, await learnCurrencies(rest, symbols, logger, stop))
    // A busy broker takes longer to make topics than a batch is waited for, and what comes meanwhile would go to the disk.
    await Promise.race([made, sleepUnlessAborted(MOST_TOPICS_MS, stop).catch(() => {})])
    const taker = createEventTaker({
      encoder,
      ids,
      outbox,
      maxMessages: options.maxMessages ?? Infinity,
      clock,
      metrics,
      logger,
      onGap: (symbol, gap) => backfill.request(symbol, gap),
      onNotUnderstood(text, why) {
        if (taker.counts.errors === 1) logger.warn('a message was not understood', { error: why.message })
        misunderstood.keep(text, why)
      },
      onFull() {
        if (totals.state !== 'waiting') logger.warn('neither the log nor the disk takes more; the stream waits')
        tell({ state: 'waiting' })
        link.leave()
      },
      onLimit: () => stopping.abort(),
      onShutdown: () => link.rotateNow(),
    })
    const backfill = createBackfill({
      rest,
      ids,
      graceMs: timing.graceMs,
      whenRoom,
      onTrade(trade) {
        taker.putTrade(trade)
        totals.backfilled++
      },
      onGap(symbol, missing) {
        logger.warn('trades were missed', { symbol, missing })
        totals.gaps += missing
      },
      onGivenUp: (symbol, { from, to }, missing, why) =>
        logger.warn('missed trades could not be fetched', { symbol, missing, from, to, why }),
      signal: stop,
    })
    options.onRefill?.((symbol, gap) => {
      const wanted = ids.reopen(symbol, gap)
      for (const range of wanted) backfill.request(symbol, range)
      return countIds(wanted)
    })
    for (const [symbol, { missing }] of Object.entries(left)) for (const gap of missing) backfill.request(symbol, gap)
    const link = stayConnected({
      base: websocketUrl,
      streams: streamsOf(symbols),
      ca,
      timing,
      onText: taker.takeText,
      onConnected() {
        linkWhy = null
        metrics.set('k2_binance_connection_status', 1)
        metrics.set('k2_binance_reconnect_delay_seconds', 0)
        logger.info('connected', { symbols: symbols.length })
        tell({ state: 'connected', why: null })
      },
      onEnded({ reason, why }, waitMs) {
        linkWhy = `Not connected: ${why}. The next attempt is in ${(waitMs / 1000).toFixed(1)} s.`
        metrics.set('k2_binance_connection_status', 0)
        metrics.set('k2_binance_reconnect_delay_seconds', waitMs / 1000)
        metrics.add('k2_binance_reconnects_total', 1, { reason })
        if (reason !== 'left') metrics.add('k2_binance_connection_errors_total', 1, { error_type: reason })
        logger.warn('not connected', { reason, why, next_attempt_ms: Math.round(waitMs) })
        const state = reason === 'left' ? 'waiting' : 'connecting'
        tell({ state, why: linkWhy, reconnects: totals.reconnects + 1 })
      },
      onRotated() {
        metrics.add('k2_binance_reconnects_total', 1, { reason: 'rotation' })
        logger.info('on a fresh connection')
        tell({ reconnects: totals.reconnects + 1 })
      },
      whenRoom,
      signal: stop,
    })
    const timer = setInterval(look, REPORT_MS)
    function look(): void {
      const { trades, quotes, errors } = taker.counts
      const messages = trades + quotes
      if (messages > totals.messages) metrics.set('k2_binance_last_message_timestamp_seconds', clock.nowMs() / 1000)
      tell({ messages, trades, quotes, errors })
    }
    await Promise.all([link.ended, backfill.ended, kept.keep(ids, stop)])
    clearInterval(timer)
    look()
  }

  try {
    await follow().catch((error: unknown) => {
      if (!stop.aborted) throw error
    })
  } finally {
    const { onDisk, lost } = await outbox.close()
    if (lost === 0) await kept.write(ids.state())
    await misunderstood.close()
    http.close()
    metrics.set('k2_binance_connection_status', 0)
    if (lost > 0) logger.warn('messages were lost: neither the log nor the disk took them', { messages: lost })
    const why = onDisk > 0 ? `${onDisk} messages are on the disk, and go to the log at the next start.` : null
    Object.assign(totals, { state: 'stopped', why })
  }
  const failure = outbox.failure()
  if (failure) throw failure
  return totals
}
