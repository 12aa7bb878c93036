// A result that K2 holds for the grid: opened by a statement, read window by window, let go when another takes its place.
import type { ColumnBatch } from '../../contract/columns.ts'
import { Failure } from '../../contract/failure.ts'
import type { FileFormat } from '../../contract/sql.ts'
import type { Statement } from './explorer-statement.ts'
import type { K2Client, Link } from './link.ts'
import type { PastState } from './moment.ts'

type Opened = Awaited<ReturnType<K2Client['results.open']>>
type WindowAsk = Parameters<K2Client['results.window']>[0]

export type HeldColumn = Opened['columns'][number]
export type Sort = NonNullable<WindowAsk['sort']>
export type Filter = NonNullable<WindowAsk['filter']>

export interface HeldResult extends Omit<Opened, 'result'> {
  /** What was asked, for files of the same rows. */
  statement: Statement & PastState
  /** Milliseconds since 1970. */
  openedAtMs: number
  window: (
    first: number,
    count: number,
    sort: Sort,
    filter: Filter,
  ) => Promise<{ rows: ColumnBatch; row_count: number }>
  /** As stated all rows as a file, those that are not held too; sorted or filtered the held ones, as the windows have them. */
  file: (format: FileFormat, sort: Sort, filter: Filter) => AsyncIterable<Uint8Array>
  /** A file under way is still read to its end. */
  close: () => void
}

/** K2 lets go of results that nobody looked at for a while, and of all when it starts anew: then it is asked again, once. */
export async function openResult(
  link: Link,
  statement: Statement & PastState,
  signal: AbortSignal,
): Promise<HeldResult> {
  const opened = await clientOf(link)['results.open'](statement, { signal })
  let id: Promise<string> = Promise.resolve(opened.result)
  let isClosed = false
  /** Of held rows, under way. */
  let files = 0

  async function window(first: number, count: number, sort: Sort, filter: Filter) {
    const asked = id
    try {
      return await clientOf(link)['results.window']({ result: await asked, first, count, sort, filter })
    } catch (failure) {
      if (isClosed || !(failure instanceof Failure) || failure.code !== 'NOT_FOUND') throw failure
      if (id === asked) id = reopen()
      return clientOf(link)['results.window']({ result: await id, first, count, sort, filter })
    }
  }
  async function reopen(): Promise<string> {
    const { result } = await clientOf(link)['results.open'](statement)
    return result
  }
  function letGo(): void {
    const { client } = link.store.getState()
    // What cannot be said now needs no saying: K2 lets go by itself.
    if (client) void id.then(result => client['results.close']({ result })).catch(() => {})
  }
  return {
    ...opened,
    statement,
    openedAtMs: Date.now(),
    window,
    /** Without an order the statement itself is asked, which has rows that are not held too. */
    async *file(format, sort, filter) {
      if (sort.length === 0 && filter.length === 0) {
        yield* clientOf(link)['sql.export']({ ...statement, format })
        return
      }
      files++
      try {
        // Held still, or anew.
        await window(0, 1, sort, filter)
        yield* clientOf(link)['results.export']({ result: await id, format, sort, filter })
      } finally {
        files--
        if (isClosed && files === 0) letGo()
      }
    },
    close() {
      if (isClosed) return
      isClosed = true
      if (files === 0) letGo()
    },
  }
}

export function clientOf({ store }: Link): K2Client {
  const { client, why } = store.getState()
  if (!client)
    throw new Failure('UNAVAILABLE', `${why ?? 'K2 is not connected.'} What is shown stays; try again when it is.`)
  return client
}
