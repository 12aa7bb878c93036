// An Arrow IPC file or stream, as pandas, polars and our own exports write them, a record batch at a time.
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import {
  compressionRegistry,
  CompressionType,
  RecordBatchReader,
  Table,
  tableToIPC,
  type AsyncRecordBatchStreamReader,
  type Data,
  type DataType,
} from 'apache-arrow'
import { decompress } from 'fzstd'
import type { ColumnBatch } from '../../../contract/columns.ts'
import { Failure } from '../../../contract/failure.ts'
import { cannotRead } from '../read-bytes.ts'
import { arrowColumn } from './arrow-columns.ts'
import { arrowField } from './arrow-types.ts'
import { checkedMessages } from './arrow-messages.ts'
import { checkArrow } from './check-arrow.ts'
import { decodeLz4Frame } from './lz4-frame.ts'
import type { ColumnarFile, SourceField } from './source-columns.ts'

const FILE_MAGIC = 'ARROW1'
const FILE_MAGIC_BYTES = 8
/** ff ff ff ff 00 00 00 00 */
const END_OF_STREAM = 0xffffffffn
const STREAM_BYTES = 1 << 20
/** Of a large record batch at a time, so that a cancel is noticed and what follows stays small. */
const BATCH_ROWS = 65_536

export async function openArrow(path: string, bytesTotal: number): Promise<ColumnarFile> {
  // A copy, as what fzstd gives out need not lie where 64-bit integers may.
  compressionRegistry.set(CompressionType.ZSTD, { decode: bytes => decompress(bytes).slice() })
  compressionRegistry.set(CompressionType.LZ4_FRAME, { decode: bytes => decodeLz4Frame(bytes) })
  const isFile = await isArrowFile(path, bytesTotal)
  const { reader, close } = await openReader(path, isFile, bytesTotal)
  const fields = await translated(path, () => withOwnNames(reader.schema.fields.map(arrowField))).finally(close)
  return {
    fields,
    async *read(names, signal) {
      const places = names.map(name => [name, fields.findIndex(field => field.name === name)] as const)
      for await (const { batch, bytesRead } of batchesOf(path, isFile, bytesTotal)) {
        for (let from = 0; from < batch.numRows; from += BATCH_ROWS) {
          signal.throwIfAborted()
          const part = batch.slice(from, from + BATCH_ROWS)
          const columns = await translated(path, () =>
            places.map(([name, at]) => [name, arrowColumn(part.getChildAt(at)!)]),
          )
          yield {
            batch: { rowCount: part.numRows, columns: Object.fromEntries(columns) as ColumnBatch['columns'] },
            bytesRead,
          }
        }
      }
    },
  }
}

async function* batchesOf(path: string, isFile: boolean, bytesTotal: number) {
  const { reader, stream, close } = await openReader(path, isFile, bytesTotal)
  try {
    const batches = reader[Symbol.asyncIterator]()
    for (;;) {
      const next = await translated(path, () => batches.next())
      if (next.done) return
      const batch = next.value
      await translated(path, () => checkArrow(batch.data as Data<DataType>))
      yield { batch, bytesRead: stream.bytesRead }
    }
  } finally {
    await close()
  }
}

type Reader = AsyncRecordBatchStreamReader

/** A file is read as the stream that it holds; dictionaries come before what uses them there, too, in all known writers. */
async function openReader(path: string, isFile: boolean, bytesTotal: number) {
  const stream = createReadStream(path, { start: isFile ? FILE_MAGIC_BYTES : 0, highWaterMark: STREAM_BYTES })
  const close = async () => {
    const closed = stream.closed ? undefined : once(stream, 'close')
    stream.destroy()
    await closed
  }
  const messages = checkedMessages(stream, bytesTotal, () => schemaOfFooter(path))
  try {
    const reader = (await translated(path, async () => (await RecordBatchReader.from(messages)).open())) as Reader
    if (!(reader as { schema: unknown }).schema) throw damaged(path, 'it has no schema')
    return { reader, stream, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** The first message that a stream of the file would have. */
async function schemaOfFooter(path: string): Promise<Uint8Array> {
  const file = await open(path)
  try {
    const { schema } = await (await (RecordBatchReader.from(file as never) as unknown as Promise<Reader>)).open()
    const stream = tableToIPC(new Table(schema), 'stream')
    const headerBytes = Buffer.from(stream.buffer, stream.byteOffset, 8).readUInt32LE(4)
    return stream.subarray(0, 8 + headerBytes)
  } finally {
    await file.close()
  }
}

/** What is cut off is told by its end: a reader would take a stream that stops between two messages for whole. */
async function isArrowFile(path: string, bytesTotal: number): Promise<boolean> {
  const file = await open(path).catch((cause: unknown) => {
    throw cannotRead(path, cause)
  })
  try {
    const ends = Buffer.alloc(16)
    await file.read(ends, 0, 8, 0)
    await file.read(ends, 8, 8, Math.max(bytesTotal - 8, 0))
    const isFile = ends.toString('latin1', 0, 6) === FILE_MAGIC
    const isWhole = isFile ? ends.toString('latin1', 10) === FILE_MAGIC : ends.readBigUInt64LE(8) === END_OF_STREAM
    if (!isWhole) throw damaged(path, 'its end is missing')
    return isFile
  } finally {
    await file.close()
  }
}

/** Columns of the same name are told apart by a number, as DuckDB does. */
function withOwnNames(fields: readonly SourceField[]): SourceField[] {
  const taken = new Set<string>()
  return fields.map(field => {
    let { name } = field
    for (let i = 1; taken.has(name); i++) name = `${field.name}_${i}`
    taken.add(name)
    return { ...field, name }
  })
}

async function translated<T>(path: string, act: () => T | Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (cause) {
    throw cause instanceof Failure ? cause : damaged(path, (cause as Error).message, cause)
  }
}

function damaged(path: string, what: string, cause?: unknown): Failure {
  const message = `${path} cannot be read as Arrow: ${what.replace(/\.$/, '')}. It may have been cut off; get it anew.`
  return new Failure('CORRUPT', message, { cause })
}
