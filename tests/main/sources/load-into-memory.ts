// Files loaded into a target in memory, and what came of each.
import type { z } from 'zod'
import { rowsOf, type Row } from '../../../src/contract/columns.ts'
import { ingest, loadProgress, type LoadProgress } from '../../../src/contract/ingest.ts'
import { ingestHandlers } from '../../../src/main/sources/handlers.ts'
import type { LoadTarget } from '../../../src/main/sources/load-target.ts'
import { LOADED_AT } from '../../support/csv-files.ts'

type Input = z.input<(typeof ingest)['ingest.load']['input']>

interface Commit {
  table: string
  name: string
  rows: Row[]
}

/** A target in memory that keeps what a lake would: rows by commit, and which content was loaded. */
export function memoryTarget({
  onAppend = () => {},
  onCommit = () => {},
}: { onAppend?: () => void; onCommit?: () => void } = {}) {
  const commits: Commit[] = []
  const hashes = new Map<string, string>()
  const open = new Set<string>()
  let aborted = 0
  const target: LoadTarget = {
    async begin(table, { name, contentHash }, again) {
      const snapshotId = hashes.get(contentHash ?? '')
      if (snapshotId !== undefined && !again) return { alreadyLoaded: { at: '2026-11-06T21:20:00Z', snapshotId } }
      const rows: Row[] = []
      open.add(name)
      return {
        async append(batch) {
          onAppend()
          rows.push(...rowsOf(batch))
        },
        async commit(hash) {
          onCommit()
          open.delete(name)
          commits.push({ table, name, rows })
          hashes.set(hash, String(commits.length))
          return { snapshotId: String(commits.length), rows: rows.length }
        },
        async abort() {
          open.delete(name)
          aborted++
        },
      }
    },
  }
  return { target, commits, open, aborted: () => aborted }
}

export const HEADER = 'symbol,exchange_timestamp,price,quantity\n'
export const line = (price: string) => `BHP,1394398867532,${price},1\n`

export function load(target: LoadTarget, input: Input, signal = new AbortController().signal) {
  const handlers = ingestHandlers({ target: async () => target, nowMs: () => LOADED_AT / 1000 })
  const context = { signal, correlationId: 'test', door: 'direct' } as const
  return handlers['ingest.load'](ingest['ingest.load'].input.parse({ exchange: 'ASX', ...input }), context)
}

export async function finals(reports: AsyncIterable<LoadProgress>): Promise<LoadProgress[]> {
  const found: LoadProgress[] = []
  for await (const report of reports) {
    loadProgress.parse(report)
    if (report.state !== 'loading') found.push(report)
  }
  return found
}
