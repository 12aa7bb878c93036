// Rows of a source as the messages of a log: each in the topic of its instrument, with the key that decides its partition.
import type { Column, ColumnBatch } from '../../../contract/columns.ts'
import { TABLES, type AssetClass } from '../../../contract/tables.ts'
import { topicOf } from '../../market/topics.ts'
import { endValue, putByte, reserve } from '../../market/value-buffer.ts'
import type { LoadTable } from '../load-target.ts'
import type { MessageBatch } from '../message-batch.ts'
import { cellWriter, NUMBERS_SIZE, type PutCell } from './cell-writer.ts'

export interface RowEncoder {
  /** The topics of the batch's rows, each once. */
  topics: readonly string[]
  /** Rows from … to that belong to a topic, as messages behind those that are there. */
  encode: (topic: string, schemaId: number, from: number, to: number, out: MessageBatch) => void
}

/** Messages of one entity share a partition, so that they stay in order. */
const KEY_OF: Record<LoadTable, string> = { trades: 'symbol', quotes: 'symbol', reference_data: 'company_id' }

export function createRowEncoder(table: LoadTable, batch: ColumnBatch): RowEncoder {
  const { columns } = batch
  const specs = TABLES[table].columns.filter(({ name }) => !name.startsWith('_'))
  const cells: PutCell[] = specs.map(spec => cellWriter(spec, columns[spec.name]))
  const { topics, topicAt } = placeInTopics(table, batch)
  const keyOf = textsOf(columns[KEY_OF[table]])

  return {
    topics,
    encode(topic, schemaId, from, to, { keys, values }) {
      const wanted = topics.indexOf(topic)
      for (let row = from; row < to; row++) {
        if (topicAt && topicAt(row) !== wanted) continue
        reserve(values, NUMBERS_SIZE)
        putByte(values, 0)
        putByte(values, schemaId >>> 24)
        putByte(values, schemaId >>> 16)
        putByte(values, schemaId >>> 8)
        putByte(values, schemaId)
        for (let i = 0; i < cells.length; i++) cells[i](values, row)
        endValue(values)
        keys.push(keyOf(row))
      }
    },
  }
}

/** Without `topicAt` all rows are of the one topic. */
function placeInTopics(table: LoadTable, { rowCount, columns }: ColumnBatch) {
  const assetClassOf = textsOf(columns.asset_class)
  const exchangeOf = textsOf(columns.exchange)
  const topics: string[] = []
  const places = new Map<string, number>()
  const placeOf = (row: number): number => {
    const [assetClass, exchange] = [assetClassOf(row), exchangeOf(row)]
    const name = `${assetClass} ${exchange}`
    const known = places.get(name)
    if (known !== undefined) return known
    places.set(name, topics.length)
    return topics.push(topicOf(assetClass as AssetClass, table, exchange)) - 1
  }
  if (isConstant(columns.asset_class) && isConstant(columns.exchange)) {
    if (rowCount > 0) placeOf(0)
    return { topics }
  }
  const at = Uint16Array.from({ length: rowCount }, (_, row) => placeOf(row))
  return { topics, ...(topics.length > 1 && { topicAt: (row: number) => at[row] }) }
}

function isConstant({ words }: Column): boolean {
  return words?.length === 1
}

function textsOf({ values, words = [] }: Column): (row: number) => string {
  return row => words[Number(values[row])] as string
}
