// The sample data that comes with K2, loaded into the tables: five synthetic days of four names.
import { join } from 'node:path'
import type { Client } from '../contract/capability.ts'
import type { K2 } from '../contract/index.ts'
import { Failure } from '../contract/failure.ts'

const FOLDER = join(import.meta.dirname, '../../resources/sample')

export interface SampleLoaded {
  rows: number
  /** Files whose content was in the tables already. */
  skipped: number
}

/** What was loaded before is not loaded again. */
export async function loadSample(client: Client<K2>, signal?: AbortSignal): Promise<SampleLoaded> {
  const loaded: SampleLoaded = { rows: 0, skipped: 0 }
  const reference = join(FOLDER, 'company_info.csv')
  for await (const { state, file, rows, why } of client['ingest.load'](
    { files: [FOLDER], exchange: 'ASX', reference },
    { signal },
  )) {
    if (state === 'failed') throw new Failure('UNAVAILABLE', `The sample file ${file} could not be loaded: ${why}`)
    if (state === 'loaded') loaded.rows += rows
    if (state === 'skipped') loaded.skipped++
  }
  return loaded
}
