// Lists of trades and quotes over the last minutes, from tables and log together.
import type { Handlers } from '../../../contract/capability.ts'
import { Failure } from '../../../contract/failure.ts'
import type { K2 } from '../../../contract/index.ts'
import type { TailTable } from '../../../contract/tables.ts'
import { reversedRows, viewRows } from '../../../contract/take-rows.ts'
import type { QueryTools } from '../tools.ts'
import { recentReceipt } from '../receipts/recent-receipt.ts'
import type { ReadHybrid } from './read-hybrid.ts'

export type ListHandlers = Pick<Handlers<K2>, 'trades.list' | 'quotes.list'>
type List = ListHandlers['trades.list']
type ListInput = Parameters<List>[0]

const MICROS_PER_MINUTE = 60e6

/** The lists of the tables alone answer what asks for no window. */
export function windowedLists(
  { clock }: Pick<QueryTools, 'clock'>,
  readHybrid: ReadHybrid,
  lists: ListHandlers,
): ListHandlers {
  const windowed =
    (table: TailTable, list: List): List =>
    async (input, context) => {
      const { window_minutes: minutes, symbol, exchange, limit, order, receipt } = input
      if (minutes === undefined) return list(input, context)
      refuseOthers(input)
      const sinceMicros = clock.nowMicros() - minutes * MICROS_PER_MINUTE
      const question = { table, symbols: symbol === undefined ? undefined : [symbol], exchange, sinceMicros, limit }
      // One more than is answered tells whether there are more.
      const answer = await readHybrid({ ...question, limit: limit + 1 }, { signal: context.signal })
      const { rowCount } = answer.data
      const newest = viewRows(answer.data, Math.max(0, rowCount - limit), rowCount)
      const data = order === 'desc' ? reversedRows(newest) : newest
      const again = receipt && { receipt: await recentReceipt(question, order === 'desc', { ...answer, data }) }
      return {
        data,
        query: { ...answer.query, ...again },
        pagination: { limit, next_cursor: null, has_more: rowCount > limit },
      }
    }
  return {
    'trades.list': windowed('trades', lists['trades.list']),
    'quotes.list': windowed('quotes', lists['quotes.list']),
  }
}

const OTHERS = ['start_time', 'end_time', 'cursor', 'snapshot_id', 'as_of'] as const

function refuseOthers(input: ListInput): void {
  const given = OTHERS.filter(name => input[name] !== undefined)
  const also = input.order === 'sequence' ? [...given, 'order=sequence'] : given
  if (also.length === 0) return
  const what = `window_minutes counts back from now; ${also.join(' and ')} cannot be given with it.`
  throw new Failure('INVALID_INPUT', `${what} Leave out one or the other.`, { details: { window_minutes: also } })
}
