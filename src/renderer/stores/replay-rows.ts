// The rows of a replay for the tape and the quotes: what was played is put behind what the tables had before the clock.
// After a jump the rows before the clock are asked for anew; a session says by its turns which batches belong together.
import { cellOf, type ColumnBatch } from '../../contract/columns.ts'
import { reversedRows, takeRows } from '../../contract/take-rows.ts'
import type { Instrument, Instruments } from './instruments.ts'
import type { K2Client } from './link.ts'
import { createQuoteFeed, type QuoteFeed } from './quotes.ts'
import { createTradeFeed, type TradeFeed } from './trades.ts'

export type Followed = ReturnType<K2Client['replay.follow']> extends AsyncIterable<infer B> ? B : never

export interface ReplayRows {
  take: (batch: Followed) => void
  /** The session was sought or turned, as an answer to a command says; its batches say so too. */
  turned: (turns: number) => void
  close: () => void
}

export interface ReplayRowsOptions {
  client: K2Client
  session: string
  instrument: Instrument
  instruments: Instruments
  /** A pair of feeds, each time the rows begin anew. */
  show: (trades: TradeFeed, quotes: QuoteFeed) => void
  failed: (message: string) => void
}

const TRADES_BEFORE = 500
const QUOTES_BEFORE = 200
/** Going back at full speed; each time the rows before the clock are asked for. */
const BACK_EVERY_MS = 150

export function createReplayRows(options: ReplayRowsOptions): ReplayRows {
  const { client, session, instrument, instruments } = options
  const over = new AbortController()
  let turns = -1
  let isFilling = false
  let isFilledAgain = false
  let waiting: Followed[] = []
  let shown: { trades: Reader; quotes: Reader } | undefined

  function begin(turn: number): void {
    turns = turn
    waiting = []
    void fill()
  }

  /** One at a time; what has changed meanwhile is seen by the next. */
  async function fill(): Promise<void> {
    isFilledAgain = true
    if (isFilling) return
    isFilling = true
    try {
      while (isFilledAgain && !over.signal.aborted) {
        isFilledAgain = false
        await fillOnce()
      }
    } catch (failure) {
      if (!over.signal.aborted) options.failed((failure as Error).message)
    } finally {
      isFilling = false
    }
  }

  async function fillOnce(): Promise<void> {
    const of = {
      symbol: instrument.symbol,
      exchange: instrument.exchange,
      replay_session: session,
      order: 'desc' as const,
    }
    const [trades, quotes] = await Promise.all([
      client['trades.list']({ ...of, limit: TRADES_BEFORE }, { signal: over.signal }),
      client['quotes.list']({ ...of, limit: QUOTES_BEFORE }, { signal: over.signal }),
    ])
    if (isFilledAgain) return
    const made = { trades: createTradeFeed(instruments), quotes: createQuoteFeed(instrument) }
    shown = {
      trades: reader((rows, atMs) => made.trades.reader.take(rows, atMs)),
      quotes: reader((rows, atMs) => made.quotes.reader.take(rows, atMs)),
    }
    shown.trades.begin(reversedRows(trades.data))
    shown.quotes.begin(reversedRows(quotes.data))
    const late = waiting
    waiting = []
    for (const batch of late) append(batch)
    options.show(made.trades.feed, made.quotes.feed)
  }

  function append({ trades, quotes }: Followed): void {
    shown!.trades.take(trades)
    shown!.quotes.take(quotes)
  }

  return {
    take(batch) {
      if (batch.turns < turns) return // was under way when the session was sought elsewhere
      if (batch.turns > turns) begin(batch.turns)
      if (batch.direction === 'backward') {
        if (batch.trades.rowCount + batch.quotes.rowCount > 0) void pauseThen(fill)
        return
      }
      if (isFilling || !shown) waiting.push(batch)
      else append(batch)
    },
    turned(turn) {
      if (turn > turns) begin(turn)
    },
    close: () => over.abort(),
  }

  async function pauseThen(act: () => Promise<void>): Promise<void> {
    if (isFilling) {
      isFilledAgain = true
      return
    }
    await new Promise(resolve => setTimeout(resolve, BACK_EVERY_MS))
    if (!over.signal.aborted) await act()
  }
}

interface Reader {
  begin: (rows: ColumnBatch) => void
  take: (rows: ColumnBatch) => void
}

/** Leaves out what the rows before the clock had already, as a batch may have been on its way when they were asked for. */
function reader(give: (rows: ColumnBatch, newestAtMs: number) => void): Reader {
  const known = new Set<string>()
  let newest = -Infinity
  const pass = (rows: ColumnBatch) => rows.rowCount > 0 && give(rows, Date.now())
  return {
    begin(rows) {
      const times = rows.columns.exchange_timestamp.values
      for (let row = 0; row < rows.rowCount; row++) known.add(placeOf(rows, row))
      newest = rows.rowCount > 0 ? Number(times[rows.rowCount - 1]) : -Infinity
      pass(rows)
    },
    take(rows) {
      const times = rows.columns.exchange_timestamp.values
      if (rows.rowCount === 0 || Number(times[0]) > newest) return void pass(rows)
      const fresh = Array.from({ length: rows.rowCount }, (_, row) => row).filter(
        row => Number(times[row]) > newest || !known.has(placeOf(rows, row)),
      )
      pass(takeRows(rows, Uint32Array.from(fresh)))
    },
  }
}

function placeOf({ columns }: ColumnBatch, row: number): string {
  const { message_id: id, _partition: partition, _offset: offset, source_sequence: sequence } = columns
  return JSON.stringify([id, partition, offset, sequence].map(column => cellOf(column, row)))
}
