// Companies as they were last heard of: what a tombstone makes inactive, as it says nothing but a company's id.
import type { Column, ColumnBatch } from '../../contract/columns.ts'
import { referenceData } from '../../contract/tables.ts'
import { EMBEDDED_SCHEMA_IDS } from '../market/avro-schemas.ts'
import type { RowCollector } from '../market/collect-rows.ts'
import { createCursor, pointCursor } from '../market/decode-primitives.ts'
import { createRowEncoder, type RowValue, type RowValues } from '../market/encode-row.ts'
import { clearValues, createValueBuffer } from '../market/value-buffer.ts'

export interface Reference {
  /** The collector's last row came with this message. */
  learn: (message: Buffer) => void
  /** A row like the company's last one, but inactive; false when the company is not known. */
  deactivate: (companyId: Buffer, partition: number, offset: number, logMicros: number) => boolean
}

/** `known` are rows out of the table; of several of one company the last one counts. */
export function createReference(collector: RowCollector, known?: ColumnBatch): Reference {
  const messages = known ? encodeRows(known) : new Map<string, Buffer>()
  const cursor = createCursor()
  const companyIds = collector.column('company_id')
  const active = collector.column('is_active')
  const ids = collector.column('message_id')
  const ingested = collector.column('ingestion_timestamp')

  return {
    // Copied: the memory of a message is the log's again later.
    learn: message => void messages.set(companyIds.textAt(collector.rowCount() - 1), Buffer.from(message)),
    deactivate(companyId, partition, offset, logMicros) {
      const message = messages.get(companyId.toString())
      if (!message) return false
      pointCursor(cursor, message)
      cursor.at = 0
      cursor.end = message.length
      const row = collector.rowCount()
      collector.read(cursor, offset, logMicros)
      active.values()[row] = 0
      ingested.values()[row] = logMicros
      ids.putText(row, Buffer.from(`${partition}-${offset}`))
      return true
    },
  }
}

function encodeRows({ rowCount, columns }: ColumnBatch): Map<string, Buffer> {
  const messages = new Map<string, Buffer>()
  const put = createRowEncoder(referenceData)
  const out = createValueBuffer()
  for (let row = 0; row < rowCount; row++) {
    const values: RowValues = Object.fromEntries(
      referenceData.columns.map(({ name }) => [name, valueAt(columns[name], row)]),
    )
    clearValues(out)
    put(out, EMBEDDED_SCHEMA_IDS.reference_data, values)
    messages.set(values.company_id as string, Buffer.from(out.bytes.subarray(0, out.length)))
  }
  return messages
}

function valueAt(column: Column | undefined, row: number): RowValue {
  if (!column || column.nulls?.[row]) return null
  const value = column.values[row]
  return column.words ? column.words[Number(value)] : value
}
