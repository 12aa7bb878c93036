// Rows as a stream of Arrow record batches: the columns' memory copied once into Arrow's layout, a batch at a time.
import {
  AsyncByteQueue,
  makeData,
  RecordBatch,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  type Data,
  type DataType,
} from 'apache-arrow'
import type { Column, ColumnBatch } from '../../../contract/columns.ts'
import { arrowField, type NamedType } from './arrow-schema.ts'
import { arrowValues } from './arrow-values.ts'

/** The bytes of one batch after another; the schema goes before the first, the end after the last. */
export interface ArrowWriter {
  write: (batch: ColumnBatch) => Uint8Array[]
  end: () => Uint8Array[]
}

export function createArrowWriter(columns: readonly NamedType[]): ArrowWriter {
  const schema = new Schema(columns.map(arrowField))
  const sink = new Collector()
  const writer = new RecordBatchStreamWriter()
  writer.reset(sink, schema)
  return {
    write({ rowCount, columns: values }) {
      const children = schema.fields.map(({ name, type }) => dataOf(values[name], type as DataType, rowCount))
      const data = makeData({ type: new Struct(schema.fields), length: rowCount, nullCount: 0, children })
      if (rowCount > 0) writer.write(new RecordBatch(schema, data))
      return sink.take()
    },
    end() {
      writer.finish()
      return sink.take()
    },
  }
}

/** What the writer writes, kept until it is taken: its own queue has no end to its length. */
class Collector extends AsyncByteQueue {
  private parts: Uint8Array[] = []

  override write(value: Uint8Array | ArrayBufferLike): void {
    const bytes = value instanceof Uint8Array ? value : new Uint8Array(value)
    if (bytes.byteLength > 0) this.parts.push(bytes.slice())
  }

  take(): Uint8Array[] {
    return this.parts.splice(0)
  }
}

function dataOf(column: Column, type: DataType, rowCount: number): Data {
  const { nulls } = column
  const { nullCount, nullBitmap } = validityOf(nulls, rowCount)
  return makeData({
    type,
    length: rowCount,
    nullCount,
    nullBitmap,
    ...arrowValues(column, type, rowCount),
  } as Parameters<typeof makeData>[0])
}

function validityOf(nulls: Uint8Array | undefined, rowCount: number): { nullCount: number; nullBitmap?: Uint8Array } {
  if (!nulls) return { nullCount: 0 }
  const nullBitmap = new Uint8Array(Math.ceil(rowCount / 64) * 8)
  let nullCount = 0
  for (let row = 0; row < rowCount; row++) {
    if (nulls[row]) nullCount++
    else nullBitmap[row >> 3] |= 1 << (row & 7)
  }
  return { nullCount, nullBitmap }
}
