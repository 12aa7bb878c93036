// CSV files in both forms to committed tables: rows a second, and the memory of the process that does it.
// K2_BENCH_IMPORT_ROWS=20000000 is the run that the memory target speaks of.
import { execFileSync } from 'node:child_process'
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inTempFolder } from './support/bench-lake.ts'
import { COMPANY_INFO, writeCsv, type CsvForm } from './support/csv-tape.ts'
import type { CsvLoaded } from './support/load-csv.ts'
import { short } from './support/timing.ts'
import type { Figure } from './figure.ts'

const ROWS = Number(process.env.K2_BENCH_IMPORT_ROWS ?? 2_000_000)
const FORMS: Record<CsvForm, string> = {
  'asx-raw trades': '7078_trades.csv',
  'asx-raw quotes': '7078_quotes.csv',
  'k2 trades': 'trades.csv',
}

export async function run(): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const form of Object.keys(FORMS) as CsvForm[])
    figures.push(...(await inTempFolder(folder => load(folder, form))))
  return figures
}

async function load(folder: string, form: CsvForm): Promise<Figure[]> {
  const csv = join(folder, FORMS[form])
  const reference = join(folder, 'company_info.csv')
  writeFileSync(reference, COMPANY_INFO)
  writeCsv(csv, form, ROWS)
  const script = join(import.meta.dirname, 'support/load-csv.ts')
  const words = ['--import', 'tsx', script, join(folder, 'lake'), csv, reference]
  const loaded = JSON.parse(execFileSync(process.execPath, words, { encoding: 'utf8' })) as CsvLoaded
  if (loaded.rows !== ROWS) throw new Error(`Of ${ROWS} rows ${loaded.rows} were loaded.`)
  const { ms, processorMs, residentMb } = loaded
  const name = `import of ${(ROWS / 1e6).toLocaleString('en')} M ${form}`
  const detail = `${(ms / 1000).toFixed(1)} s, ${short((processorMs / ROWS) * 1000)} µs of processor time a row, ${(statSync(csv).size / 1e6).toFixed(0)} MB of CSV`
  return [
    { name, value: (ROWS / ms) * 1000, unit: 'rows/s', target: '≥ 400,000', detail },
    { name: `${name}: resident memory at most`, value: residentMb, unit: 'MB', target: '≤ 600' },
  ]
}
