// Receipts: lists answer with one when asked, and each gives its rows again, checked against its hash.
import { randomBytes } from 'node:crypto'
import type { Context, Handlers } from '../../../contract/capability.ts'
import type { ColumnBatch } from '../../../contract/columns.ts'
import { Failure } from '../../../contract/failure.ts'
import type { QueryMeta, Receipt } from '../../../contract/fields.ts'
import { reads } from '../../../contract/reads.ts'
import { recentQuery, type receipts } from '../../../contract/receipts.ts'
import type { TableId, TailTable } from '../../../contract/tables.ts'
import { neverWritten } from '../moments.ts'
import { readHandlers } from '../reads/handlers.ts'
import { lakeMeta, type QueryTools } from '../tools.ts'
import { asGiven, unfit, type Answer, type AnswerAgain } from './again.ts'
import { hashRows } from './hash-rows.ts'
import { readRecentAgain } from './read-recent.ts'

const LISTS = ['trades.list', 'quotes.list', 'trades.query', 'quotes.query', 'snapshots.query'] as const
type ListName = (typeof LISTS)[number]
export type ReadHandlers = Pick<Handlers<typeof reads>, ListName>

type Rows = Answer<ColumnBatch>
type Again = Awaited<ReturnType<Handlers<typeof receipts>['receipts.read']>>['data']
type AnyList = (input: Record<string, unknown>, context: Context) => Promise<Rows>

/** The same lists, which answer with a receipt where one is asked for. */
export function withReceipts<H extends ReadHandlers>(lists: H): H {
  const own = LISTS.map(name => {
    const list = lists[name] as unknown as AnyList
    const withReceipt: AnyList = async ({ receipt, ...input }, context) => {
      const answer = await list(input, context)
      if (!receipt) return answer
      return { ...answer, query: { ...answer.query, receipt: await listReceipt(name, input, answer) } }
    }
    return [name, withReceipt]
  })
  return { ...lists, ...(Object.fromEntries(own) as unknown as ReadHandlers) }
}

async function listReceipt(name: ListName, input: Record<string, unknown>, answer: Rows): Promise<Receipt> {
  // The state and the end say all that a session did; only its cursors are good for nothing without it.
  const whole = input.cursor !== undefined ? input : { ...input, replay_session: undefined }
  return {
    snapshot: answer.query.snapshot_id,
    offsets: [],
    query: { name, input: asGiven(whole) },
    hash: await hashRows(answer.data),
  }
}

/** `others` are those of other queries, by name, with the hash of their own. */
export function receiptHandlers(
  tools: QueryTools,
  lists: ReadHandlers,
  others: Readonly<Partial<Record<string, AnswerAgain>>> = {},
): Handlers<typeof receipts> {
  const unwritten = listsOfUnwritten(tools)

  async function again(receipt: Receipt, context: Context): Promise<Rows> {
    const { name, input } = receipt.query
    const [table, kind] = name.split('.')
    if (kind === 'recent' && (table === 'trades' || table === 'quotes')) return recentAgain(table, receipt, context)
    const list = LISTS.find(known => known === name)
    if (!list) throw unknownQuery(name, Object.keys(others))
    const { snapshot } = receipt
    const pinned = 'cursor' in input || snapshot === null ? input : { ...input, ...pinOf(list, snapshot) }
    const asked = reads[list].input.safeParse(pinned)
    if (!asked.success) throw unfit(name)
    const from = snapshot === null ? unwritten : lists
    return (from[list] as unknown as AnyList)(asked.data, context)
  }

  async function recentAgain(table: TailTable, receipt: Receipt, { signal }: Context): Promise<Rows> {
    const startedMs = performance.now()
    const asked = recentQuery.safeParse(receipt.query.input)
    if (!asked.success) throw unfit(receipt.query.name)
    const { rows, at } = await readRecentAgain(tools, table, receipt, asked.data, signal)
    const files = { total: 0, pruned: 0, read: 0 }
    return { data: rows, query: lakeMeta(tools, { at, files, rows: rows.rowCount, startedMs }) }
  }

  return {
    async 'receipts.read'(receipt, context) {
      const other = Object.hasOwn(others, receipt.query.name) ? others[receipt.query.name] : undefined
      const { data, query, hash } = other ? await other(receipt, context) : await hashed(again(receipt, context))
      if (hash !== receipt.hash) throw otherRows(receipt, hash, query)
      return { data: data as Again, query: { ...query, receipt } }
    },
  }
}

/** Lists of tables before their first snapshots, for answers that were given then. */
function listsOfUnwritten(tools: QueryTools): ReadHandlers {
  const at = (table: TableId) => Promise.resolve(neverWritten(table))
  return readHandlers({ ...tools, reads: { ...tools.reads, at } }, { cursorKey: randomBytes(32) })
}

async function hashed(answer: Promise<Rows>): Promise<Rows & { hash: string }> {
  const { data, query } = await answer
  return { data, query, hash: await hashRows(data) }
}

/** A snapshot's own query names it as its id. */
function pinOf(list: ListName, snapshot: string): Record<string, unknown> {
  return list === 'snapshots.query' ? { id: snapshot } : { snapshot_id: snapshot, as_of: undefined }
}

function unknownQuery(name: string, others: readonly string[]): Failure {
  const known = ['trades.recent', 'quotes.recent', ...LISTS, ...others].join(', ')
  return new Failure('INVALID_INPUT', `query.name: ${name} gives no receipts; those that do are ${known}.`)
}

function otherRows({ snapshot, hash: expected }: Receipt, found: string, { snapshot_id }: QueryMeta): Failure {
  const details = { expected, found }
  if (snapshot !== null && snapshot_id !== snapshot)
    return new Failure(
      'SNAPSHOT_NOT_FOUND',
      `Snapshot ${snapshot} of this receipt has expired, and later ones have not the same rows. Tag snapshots that are ` +
        'to stay, with k2 lake tag.',
      { details },
    )
  const what = 'The rows are not those that the receipt was given for'
  return new Failure('CONFLICT', `${what}: it was changed, or the table was.`, { details })
}
