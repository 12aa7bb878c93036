// What a CSV file is, by its first lines: which form, of which table. Nothing is guessed that could be read wrongly.
import { Failure } from '../../../contract/failure.ts'
import type { LoadTable } from '../load-target.ts'
import { placesOf } from './k2-form.ts'
import { RAW_FIELDS } from './asx-raw-form.ts'
import { readChunks } from '../read-bytes.ts'
import { isReferenceHeader } from './reference-form.ts'
import { createRecordScanner } from './scan-records.ts'

export const CSV_FORMATS = ['auto', 'k2', 'asx-raw'] as const
export type CsvFormat = (typeof CSV_FORMATS)[number]

export interface Recognised {
  format: Exclude<CsvFormat, 'auto'>
  table: LoadTable
  /** Only in the k2 form. */
  header?: readonly string[]
}

const UTF8_MARK = [0xef, 0xbb, 0xbf]
const UTF16_MARKS = [
  [0xff, 0xfe],
  [0xfe, 0xff],
]

/** How many bytes at the beginning say that the text is UTF-8 and belong to no field. */
export function markLength(bytes: Uint8Array): number {
  return beginsWith(bytes, UTF8_MARK) ? UTF8_MARK.length : 0
}

export async function recognise(
  path: string,
  { format, table }: { format: CsvFormat; table?: LoadTable },
  signal: AbortSignal,
): Promise<Recognised> {
  const first = await firstRecord(path, signal)
  if (!first) throw refused(path, 'is empty')
  const isRaw = format === 'asx-raw' || (format === 'auto' && looksRaw(first))
  if (isRaw) return { format: 'asx-raw', table: rawTableOf(path, table, first) }
  const known = headerTable(first)
  if (format === 'auto' && !known) {
    throw refused(path, `begins with "${shown(first)}", which is neither a header of the k2 form nor a line of asx-raw`)
  }
  if (table && known && table !== known && !(table !== 'reference_data' && known !== 'reference_data')) {
    throw refused(path, `holds ${known} by its header, not ${table}`)
  }
  const found = table ?? known
  if (!found) throw refused(path, `has the header "${shown(first)}": say with --type what it holds`)
  return { format: 'k2', table: found, header: first }
}

/** The fields of the first line that is not blank. */
async function firstRecord(path: string, signal: AbortSignal): Promise<string[] | undefined> {
  const scanner = createRecordScanner()
  const { record } = scanner
  let isFirst = true
  for await (const { bytes } of readChunks(path, signal)) {
    if (isFirst) checkText(path, bytes)
    scanner.feed(bytes.subarray(isFirst ? markLength(bytes) : 0))
    isFirst = false
    if (scanner.next()) return textsOf()
  }
  scanner.end()
  return scanner.next() ? textsOf() : undefined

  function textsOf(): string[] {
    if (record.problem) throw refused(path, `is not CSV: its first line ${record.problem}`)
    const { bytes, starts, ends } = record
    return Array.from({ length: record.fieldCount }, (_, i) => bytes.toString('utf8', starts[i], ends[i]))
  }
}

function checkText(path: string, bytes: Buffer): void {
  if (UTF16_MARKS.some(mark => beginsWith(bytes, mark))) throw refused(path, 'is UTF-16; save it as UTF-8')
  if (beginsWith(bytes, [...Buffer.from('PAR1')])) throw refused(path, 'is a Parquet file, not CSV')
  if (beginsWith(bytes, [...Buffer.from('ARROW1')])) throw refused(path, 'is an Arrow file, not CSV')
}

function beginsWith(bytes: Uint8Array, head: readonly number[]): boolean {
  return head.every((byte, i) => bytes[i] === byte)
}

function looksRaw([date = '', time = '']: readonly string[]): boolean {
  return /^\d{2}\/\d{2}\/\d{4}$/.test(date) && /^\d{2}:\d{2}/.test(time)
}

/** Trades and quotes of asx-raw differ in how many fields they have. */
function rawTableOf(path: string, table: LoadTable | undefined, first: readonly string[]): 'trades' | 'quotes' {
  const byCount = (['trades', 'quotes'] as const).find(type => RAW_FIELDS[type] === first.length)
  if (table === 'reference_data') throw refused(path, 'is an asx-raw file, not reference_data')
  if (table && table !== byCount) {
    throw refused(path, `has ${first.length} fields in its first line; asx-raw ${table} have ${RAW_FIELDS[table]}`)
  }
  if (!byCount) {
    const both = `${RAW_FIELDS.trades} fields in trades and ${RAW_FIELDS.quotes} in quotes`
    throw refused(path, `has ${first.length} fields in its first line; asx-raw has ${both}`)
  }
  return byCount
}

function headerTable(header: readonly string[]): LoadTable | undefined {
  if (isReferenceHeader(header)) return 'reference_data'
  const names = placesOf(header)
  if (!names.has('symbol') || !names.has('exchange_timestamp')) return undefined
  if (names.has('price') && names.has('quantity')) return 'trades'
  return names.has('bid_price') && names.has('ask_price') ? 'quotes' : undefined
}

function shown(first: readonly string[]): string {
  const text = first.join(',')
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}

function refused(path: string, why: string): Failure {
  return new Failure('INVALID_INPUT', `${path} ${why}.`)
}
