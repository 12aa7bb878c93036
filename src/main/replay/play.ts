// A replay from its start to its end in one stream, for a command or a script: no session, no way back.
import type { Handlers } from '../../contract/capability.ts'
import { timestampText } from '../../contract/columns.ts'
import type { replay } from '../../contract/replay.ts'
import { TAIL_TABLES } from '../../contract/tables.ts'
import { nextTimeOf, takeRowsOf } from './merge.ts'
import { heldMs, msUntil, shownAt, type Pace, type Ticker } from './pace.ts'
import { pinSnapshot } from './pin.ts'
import { rangeOf, symbolsOf } from './questions.ts'
import type { RowSource } from './row-source.ts'
import { openReader, type TableReader } from './table-reader.ts'
import type { ReplayTools } from './tools.ts'

type Play = Handlers<typeof replay>['replay.play']

export function playHandler(tools: ReplayTools, ticker: Ticker): Play {
  return async function* play(question, { signal }) {
    const { data_type: table, batch_size: limit, speed, exchange, max_batches: most = Infinity } = question
    const range = rangeOf(tools, question)
    const at = await tools.stateOf(tools.reads, table, question, signal)
    const columns = TAIL_TABLES[table].columns.map(({ name }) => name)
    const instruments = { symbols: symbolsOf(question), exchange }
    const source: RowSource = { table, at, order: 'event', instruments, columns }
    const letGo = await pinSnapshot(tools, at, signal)
    const readers: TableReader[] = []
    let pace: Pace | undefined
    try {
      readers.push(await openReader(tools, { source, range }, signal))
      for (let batches = 0; batches < most; batches++) {
        const next = await nextTimeOf(readers, 1, signal)
        if (next === undefined) return
        pace ??= { atMs: ticker.nowMs(), micros: next, speed, direction: 1 }
        const early = msUntil(pace, next, ticker.nowMs())
        if (early > 0) await ticker.wait(early, signal)
        signal.throwIfAborted()
        const toMicros = speed === 'max' ? undefined : Math.max(next, shownAt(pace, ticker.nowMs())) + 1
        const taken = await takeRowsOf(readers, { direction: 1, limit, toMicros }, signal)
        const givenAtMs = ticker.nowMs()
        yield { rows: taken!.parts[0]!.rows, clock: timestampText(taken!.lastMicros) }
        pace.atMs += heldMs(ticker.nowMs() - givenAtMs)
      }
    } finally {
      readers.forEach(reader => reader.close())
      letGo()
    }
  }
}
