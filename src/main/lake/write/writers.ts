// Connections that files are written over: opened when one is first needed, kept for the next file. A stream that
// flushes every second would open three for each flush otherwise.
import type { DuckDBConnection } from '@duckdb/node-api'
import { connectWriter } from '../../duck/open-duck.ts'

export interface Writers {
  /** `work` has the connection for itself; it waits for one where all are in use. */
  use: <T>(work: (connection: DuckDBConnection) => Promise<T>) => Promise<T>
  /** When no file is under way any more. */
  close: () => void
}

/** Measured on two cores: a single file at a time left a third of them idle. */
export const FILES_IN_FLIGHT = 3

/** Of the Duck that `connection` belongs to; at most so many files are written at the same time. */
export function createWriters(connection: DuckDBConnection, most = FILES_IN_FLIGHT): Writers {
  const opened: DuckDBConnection[] = []
  const free: DuckDBConnection[] = []
  const waiting: (() => void)[] = []
  let taken = 0

  async function take(): Promise<DuckDBConnection> {
    while (taken >= most) await new Promise<void>(resolve => waiting.push(resolve))
    taken++
    try {
      const known = free.pop()
      if (known) return known
      const fresh = await connectWriter(connection)
      opened.push(fresh)
      return fresh
    } catch (error) {
      giveUp()
      throw error
    }
  }

  function giveUp(): void {
    taken--
    waiting.shift()?.()
  }

  return {
    async use(work) {
      const writer = await take()
      try {
        return await work(writer)
      } finally {
        free.push(writer)
        giveUp()
      }
    },
    close: () => opened.forEach(writer => writer.closeSync()),
  }
}
