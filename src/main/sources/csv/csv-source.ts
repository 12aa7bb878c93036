// A CSV file as a source: recognised, hashed, and read in steps that each fit in a few milliseconds.
import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import type { Worker } from 'node:worker_threads'
import { Failure } from '../../../contract/failure.ts'
import type { BadRow, FileOptions, FileSource, Step } from '../file-source.ts'
import { createAsxRawForm } from './asx-raw-form.ts'
import { companyOfFile, type Companies } from './companies.ts'
import { createK2Form } from './k2-form.ts'
import { cannotRead, readChunks } from '../read-bytes.ts'
import { markLength, recognise, type CsvFormat } from './recognise.ts'
import { createReferenceForm } from './reference-form.ts'
import { BATCH_ROWS, createRowReader, type Form } from './row-reader.ts'
import { readInThread } from './read-in-thread.ts'
import { createRecordScanner } from './scan-records.ts'
import type { ThreadWork } from './thread-messages.ts'

export interface CsvOptions extends FileOptions {
  format: CsvFormat
  /** What --reference names, read once for all files. */
  companies?: Companies
  /** What `contentHash` gave in another thread. */
  expectedHash?: string
}

/** Starts csv-thread.ts. */
export type StartThread = (work: ThreadWork) => Worker

const LONGEST_TEXT = 4096
/** Of a row on the disk, also compressed: a small file is not given room for a large one's rows. */
const FEWEST_ROW_BYTES = 4
const FEWEST_ROWS = 4096
/** Smaller files are read before a thread has started. */
const LEAST_FOR_THREAD = 8 << 20

/** With `startThread` large files are read in a thread of their own. */
export async function openCsv(
  path: string,
  options: CsvOptions,
  signal: AbortSignal,
  startThread?: StartThread,
): Promise<FileSource> {
  const { size } = await stat(path).catch((cause: unknown) => {
    throw cannotRead(path, cause)
  })
  const { format, table, header } = await recognise(path, options, signal)
  const company = format === 'asx-raw' ? companyOfFile(path, options.companies) : undefined
  /** What the rows depend on beside the file's content: two companies' files may be the same to the letter. */
  const named = company ? `\ncompany ${company.companyId}` : ''
  let { expectedHash } = options

  function formOf(): Form {
    if (company) return createAsxRawForm(table as 'trades' | 'quotes', company, options)
    if (table === 'reference_data') return createReferenceForm(header!, options)
    return createK2Form(table, header!, options)
  }
  // Whatever is wrong with header or flags is said before anything is read.
  formOf()

  async function* readHere(signal: AbortSignal): AsyncGenerator<Step> {
    const hash = createHash('sha256')
    const scanner = createRecordScanner()
    const rows = createRowReader(formOf(), capacityFor(size))
    let skipHeader = header !== undefined
    let isFirst = true
    let badRows: BadRow[] = []
    let bytesRead = 0

    function* takeRecords(): Generator<Step> {
      const { record } = scanner
      while (scanner.next()) {
        if (skipHeader) {
          skipHeader = false
          continue
        }
        const reason = rows.read(record)
        if (reason !== undefined) {
          const text = scanner.text()
          badRows.push({ line: record.line, text: text.slice(0, LONGEST_TEXT), reason })
        }
        if (rows.isFull) yield stepOf(true)
      }
      yield stepOf(false)
    }
    function stepOf(isFull: boolean): Step {
      const step = { badRows, bytesRead, ...(isFull && { batch: rows.take() }) }
      badRows = []
      return step
    }

    for await (const chunk of readChunks(path, signal)) {
      hash.update(chunk.bytes)
      bytesRead = chunk.bytesRead
      scanner.feed(isFirst ? chunk.bytes.subarray(markLength(chunk.bytes)) : chunk.bytes)
      isFirst = false
      yield* takeRecords()
    }
    scanner.end()
    yield* takeRecords()
    if (rows.rowCount > 0) yield stepOf(true)
    if (expectedHash !== undefined && hash.update(named).digest('hex') !== expectedHash) {
      const message = `${path} changed while it was read; nothing of it was loaded. Load it again when it is complete.`
      throw new Failure('CONFLICT', message)
    }
  }

  return {
    table,
    bytesTotal: size,
    header: header?.join(','),
    // A pass of its own, before anything is parsed: a file that is loaded already is then passed over at once, and
    // reading it costs a tenth of parsing it. Of what is unpacked, so that gzip does not make it another file.
    async contentHash(signal) {
      const hash = createHash('sha256')
      for await (const { bytes } of readChunks(path, signal)) hash.update(bytes)
      expectedHash = hash.update(named).digest('hex')
      return expectedHash
    },
    read(signal) {
      if (!startThread || size < LEAST_FOR_THREAD) return readHere(signal)
      const listings = company && new Map([[company.companyId, options.companies!.get(company.companyId)!]])
      const work = { path, options: { ...options, companies: listings, expectedHash } }
      return readInThread(
        () => startThread(work),
        () => readHere(signal),
        signal,
      )
    },
  }
}

function capacityFor(fileBytes: number): number {
  return Math.min(BATCH_ROWS, Math.max(FEWEST_ROWS, Math.ceil(fileBytes / FEWEST_ROW_BYTES)))
}
