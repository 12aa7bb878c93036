// One SQLite file that several programs write at once: each transaction waits for its turn without holding up the
// process, and ends done or certainly not done.
//
// What was found out about libsql 0.5: a prepared statement that fails because the file is locked keeps its lock until
// it is collected as garbage, and every other writer then waits in vain; `exec` does not. So the lock is taken and
// given back by `exec` alone, and a connection on which a statement failed is not used again. Its busy timeout blocks
// the process, so there is none. A text that is not UTF-8, as in a damaged file, aborts the process, so texts are
// fetched as bytes.
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Database from 'libsql'
import { Failure } from '../../../contract/failure.ts'
import { NotDone } from './row-catalog.ts'
import { damaged, isBusy } from './sql-failure.ts'

export interface SqlFile {
  /** One column of texts, of the rows that `rest` (FROM …) selects; null becomes undefined. */
  read: (column: string, rest: string, values: readonly string[]) => Promise<(string | undefined)[]>
  /**
   * All statements in one transaction, durable when it resolves; `work` must not wait. A `NotDone` says that certainly
   * nothing of it landed; any other error leaves that open.
   */
  write: <T>(work: (run: Run) => T) => Promise<T>
  close: () => Promise<void>
}

/** How many rows a statement changed. */
export type Run = (sql: string, values: readonly (string | null)[]) => number

const WAIT_FOR_LOCK_MS = 5_000
const LONGEST_PAUSE_MS = 25

export interface SqlFileOptions {
  /** Run on every new connection, one by one; must be safe to repeat. */
  setUp: readonly string[]
  waitForLockMs?: number
}

export function openSqlFile(file: string, { setUp, waitForLockMs = WAIT_FOR_LOCK_MS }: SqlFileOptions): SqlFile {
  let connection: Connection | undefined
  let turn: Promise<unknown> = Promise.resolve()
  let closed = false

  /** One after the other: a reader on the same connection would see what is not committed yet. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = turn.then(work)
    turn = result.catch(() => {})
    return result
  }

  async function connected(): Promise<Connection> {
    if (closed) throw new Failure('UNAVAILABLE', `The SQL catalog ${file} is closed.`)
    if (connection) return connection
    mkdirSync(dirname(file), { recursive: true })
    const opened = connect(file)
    try {
      for (const sql of setUp) await whenFree(() => opened.db.exec(sql), waitForLockMs)
    } catch (error) {
      opened.db.close()
      throw error
    }
    return (connection = opened)
  }

  function forget(): void {
    const { db } = connection ?? {}
    connection = undefined
    try {
      db?.close()
    } catch {
      // it failed before, so it is given up in whatever state it is
    }
  }

  return {
    read: (column, rest, values) =>
      inTurn(async () => {
        const { statement } = await connected()
        try {
          const select = statement(`SELECT CAST(${column} AS BLOB) ${rest}`).raw()
          const rows = await whenFree(() => select.all(...values) as [Uint8Array | null][], waitForLockMs)
          return rows.map(([bytes]) => (bytes === null ? undefined : textOf(bytes, file)))
        } catch (error) {
          forget()
          throw error
        }
      }),
    write: work =>
      inTurn(async () => {
        const { db, statement } = await connected().catch((error: unknown) => Promise.reject(new NotDone(error)))
        let committing = false
        try {
          await whenFree(() => db.exec('BEGIN IMMEDIATE'), waitForLockMs)
          const result = work((sql, values) => statement(sql).run(...values).changes)
          committing = true
          // The commit point. While readers hold the file it is tried again; new ones are kept out meanwhile.
          await whenFree(() => db.exec('COMMIT'), waitForLockMs)
          return result
        } catch (error) {
          const undone = rolledBack(db)
          forget()
          throw !committing || (undone && isBusy(error)) ? new NotDone(error) : error
        }
      }),
    close: () =>
      inTurn(async () => {
        closed = true
        forget()
      }),
  }
}

interface Connection {
  db: Database.Database
  /** Prepared once. */
  statement: (sql: string) => Database.Statement
}

function connect(file: string): Connection {
  const db = new Database(file, { timeout: 0 })
  const prepared = new Map<string, Database.Statement>()
  const statement = (sql: string) => {
    const known = prepared.get(sql) ?? db.prepare(sql)
    prepared.set(sql, known)
    return known
  }
  return { db, statement }
}

function rolledBack(db: Database.Database): boolean {
  try {
    db.exec('ROLLBACK')
    return true
  } catch {
    return false
  }
}

/** Locks are held for a millisecond or so; who waits asks again at no fixed beat. */
async function whenFree<T>(attempt: () => T, waitMs: number): Promise<T> {
  const deadline = performance.now() + waitMs
  for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    try {
      return attempt()
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error
    }
    await sleep(pauseMs * (0.5 + Math.random()))
  }
}

function textOf(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw damaged(file, cause)
  }
}
