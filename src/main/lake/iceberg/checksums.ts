// Checksums of data files, in the header of the manifest that names them: Parquet as DuckDB writes it has none, and a
// flipped bit in it can give other values without an error. Other engines pass over header entries that they do not know.
//   k2.crc32 = CRC-32 of each entry's file in hexadecimal, in the order of the entries, separated by commas; empty: unknown
import type { ManifestEntry } from './data-file.ts'

const KEY = 'k2.crc32'

/** Nothing where no file has one. */
export function checksumHeader(entries: readonly ManifestEntry[]): Readonly<Record<string, string>> {
  if (entries.every(({ file }) => file.crc32 === undefined)) return {}
  return { [KEY]: entries.map(({ file }) => file.crc32?.toString(16) ?? '').join(',') }
}

/** What is not one for each entry is from somebody who does not know what it is, and passed over. */
export function readChecksums(header: ReadonlyMap<string, Buffer>, entries: readonly ManifestEntry[]): void {
  const sums = header.get(KEY)?.toString('latin1').split(',')
  if (sums?.length !== entries.length) return
  entries.forEach(({ file }, i) => {
    const sum = parseInt(sums[i], 16)
    if (sum >= 0) file.crc32 = sum
  })
}
