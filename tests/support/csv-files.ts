// CSV files for tests: written as given, packed by the ending of their name, and read back as rows.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { rowsOf, type Row } from '../../src/contract/columns.ts'
import { readCompanies } from '../../src/main/sources/csv/companies.ts'
import { openCsv, type CsvOptions } from '../../src/main/sources/csv/csv-source.ts'
import type { BadRow } from '../../src/main/sources/file-source.ts'
import { makeTempFolder } from './temp-folder.ts'

export const LOADED_AT = 1_794_000_000_000_000

export const companyInfo = `company_id,symbol,company_name,ISIN,start_date,end_date
7078,BHP,BHP Billiton Limited,AU000000BHP4,1962-01-31,
7458,RIO,Rio Tinto Limited,AU000000RIO1,1962-01-31,
55,OLD,Company One,,1990-01-01,2014-03-11
55,NEW,Company One,,2014-03-12,
`

export function writeFile(name: string, content: string | Uint8Array, folder = makeTempFolder()): string {
  const path = join(folder, name)
  mkdirSync(dirname(path), { recursive: true })
  const bytes = Buffer.from(content)
  writeFileSync(path, name.endsWith('.gz') ? gzipSync(bytes) : name.endsWith('.zst') ? zstd(bytes) : bytes)
  return path
}

const BLOCK_BYTES = 100_000

/** A zstd frame of blocks that are stored as they are: what a compressor writes for data that does not shrink. */
export function zstd(bytes: Uint8Array): Buffer {
  const head = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0])
  head.writeUInt32LE(bytes.length, 5)
  const parts: Uint8Array[] = [head]
  for (let at = 0; at === 0 || at < bytes.length; at += BLOCK_BYTES) {
    const block = bytes.subarray(at, at + BLOCK_BYTES)
    const isLast = at + BLOCK_BYTES >= bytes.length ? 1 : 0
    const blockHead = Buffer.alloc(3)
    blockHead.writeUIntLE(isLast | (block.length << 3), 0, 3)
    parts.push(blockHead, block)
  }
  return Buffer.concat(parts)
}

export interface ReadCsv {
  table: string
  rows: Row[]
  bad: BadRow[]
  batches: number
}

/** A file of this name and content, as the product reads it. */
export async function readCsv(
  name: string,
  content: string | Uint8Array,
  options: Partial<CsvOptions> = {},
): Promise<ReadCsv> {
  const path = writeFile(name, content)
  const { signal } = new AbortController()
  const companies = await readCompanies(writeFile('company_info.csv', companyInfo), signal)
  const defaults = { format: 'auto', companies, loadedAtMicros: LOADED_AT } as const
  const source = await openCsv(path, { ...defaults, ...options }, signal)
  const read: ReadCsv = { table: source.table, rows: [], bad: [], batches: 0 }
  await source.contentHash(signal)
  for await (const { batch, badRows } of source.read(signal)) {
    read.bad.push(...badRows)
    if (!batch) continue
    read.batches++
    read.rows.push(...rowsOf(batch))
  }
  return read
}
