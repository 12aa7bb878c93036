// Loads one CSV file into a lake of its own, in a process of its own: the memory it prints is that of the load.
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { loadFile } from '../../src/main/lake/load/load-file.ts'
import { ingestHandlers } from '../../src/main/sources/handlers.ts'
import type { LoadProgress } from '../../src/contract/ingest.ts'
import { localLakeOptions, withLake } from './bench-lake.ts'

export interface CsvLoaded {
  rows: number
  ms: number
  processorMs: number
  residentMb: number
}

const BUILT = join(import.meta.dirname, '../../out/main')

const [, , folder, file, reference] = process.argv

await withLake(localLakeOptions(folder), async lake => {
  const handlers = ingestHandlers({
    target: () => Promise.resolve({ begin: (table, source, again) => loadFile(lake, table, source, again) }),
    // As it was built, or not at all.
    startThread: workerData => new Worker(join(BUILT, 'csv-thread.cjs'), { workerData }),
    nowMs: () => Date.now(),
  })
  const input = { files: [file], exchange: 'ASX', format: 'auto', to: 'lake', reference, again: false } as const
  const context = { signal: new AbortController().signal, correlationId: 'bench', door: 'cli' } as const
  const started = performance.now()
  let last: LoadProgress | undefined
  for await (const progress of handlers['ingest.load']({ ...input, files: [file] }, context)) last = progress
  const ms = performance.now() - started
  if (last?.state !== 'loaded' || last.bad_rows > 0) throw new Error(JSON.stringify(last))
  const { user, system } = process.cpuUsage()
  const loaded: CsvLoaded = {
    rows: last.rows,
    ms,
    processorMs: (user + system) / 1000,
    residentMb: process.resourceUsage().maxRSS / 1000,
  }
  console.log(JSON.stringify(loaded))
})
