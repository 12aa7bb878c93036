// Which partition each row of a batch belongs to. Transforms of texts are computed once a word, never once a row.
import type { Column, ColumnBatch } from '../../../contract/columns.ts'
import { Failure } from '../../../contract/failure.ts'
import type { PartitionField, PartitionSpec } from '../iceberg/metadata.ts'
import type { Field, PrimitiveType, Schema, Value } from '../iceberg/schema.ts'
import { transformOf, type Transform } from '../iceberg/transform.ts'

export interface Routes {
  /** The values of each partition, in the order of the spec's fields. */
  partitions: (Value | null)[][]
  /** The partition of each row. */
  codes: Uint32Array
}

const MICROS_PER_DAY = 86_400_000_000

export function routeRows(batch: ColumnBatch, spec: PartitionSpec, schema: Schema): Routes {
  let routes: Routes = { partitions: [[]], codes: new Uint32Array(batch.rowCount) }
  for (const field of spec.fields) routes = crossed(routes, routesOf(batch, field, schema))
  return routes
}

/** By one field: the distinct values, and which one each row has. */
function routesOf(
  batch: ColumnBatch,
  { 'source-id': sourceId, transform, name }: PartitionField,
  schema: Schema,
): Routes {
  const source = schema.fields.find(field => field.id === sourceId)
  if (!source || typeof source.type !== 'string')
    throw new Failure('INVALID_INPUT', `The partition field ${name} has no column in this table; nothing was written.`)
  const column = batch.columns[source.name] as Column | undefined
  const apply = transformOf(transform)
  if (!column) return { partitions: [[null]], codes: new Uint32Array(batch.rowCount) }
  if (column.words) return routesOfWords(column, source.type, apply)
  if (apply.kind === 'day' && column.type === 'timestamp' && column.values instanceof Float64Array)
    return routesOfDays(column, column.values)
  return routesOfNumbers(column, source, apply)
}

function routesOfWords({ values, words, nulls }: Column, type: PrimitiveType, { apply }: Transform): Routes {
  const known = createPartitions()
  const codeOf = Uint32Array.from(words!, word => known.codeOf(apply(type, word as Value | null)))
  const none = nulls ? known.codeOf(null) : 0
  const codes = new Uint32Array(values.length)
  for (let row = 0; row < codes.length; row++) codes[row] = nulls?.[row] ? none : codeOf[Number(values[row])]
  return { partitions: known.partitions, codes }
}

/** Rows mostly come day by day. */
function routesOfDays({ nulls }: Column, micros: Float64Array): Routes {
  const known = createPartitions()
  const codes = new Uint32Array(micros.length)
  let from = 1
  let to = 0
  let code = 0
  for (let row = 0; row < codes.length; row++) {
    const time = micros[row]
    if (nulls?.[row]) codes[row] = known.codeOf(null)
    else {
      if (time < from || time >= to) {
        const day = Math.floor(time / MICROS_PER_DAY)
        from = day * MICROS_PER_DAY
        to = from + MICROS_PER_DAY
        code = known.codeOf(day)
      }
      codes[row] = code
    }
  }
  return { partitions: known.partitions, codes }
}

function routesOfNumbers({ values, nulls }: Column, { type }: Field, { apply }: Transform): Routes {
  const isBig = /^(long|time|decimal)/.test(type as string)
  const valueAt = (row: number): Value => {
    if (type === 'boolean') return values[row] === 1
    return isBig ? BigInt(values[row]) : Number(values[row])
  }
  const known = createPartitions()
  const codes = new Uint32Array(values.length)
  for (let row = 0; row < codes.length; row++)
    codes[row] = known.codeOf(nulls?.[row] ? null : apply(type as PrimitiveType, valueAt(row)))
  return { partitions: known.partitions, codes }
}

/** Values of one field with a code each. */
function createPartitions() {
  const partitions: (Value | null)[][] = []
  const codes = new Map<unknown, number>()
  return {
    partitions,
    codeOf(value: Value | null): number {
      const key = value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value
      let code = codes.get(key)
      if (code === undefined) codes.set(key, (code = partitions.push([value]) - 1))
      return code
    },
  }
}

/** Only the pairs that rows have, not all there could be. */
function crossed(a: Routes, b: Routes): Routes {
  const width = b.partitions.length
  if (a.partitions.length === 1 && a.partitions[0].length === 0) return b
  const partitions: (Value | null)[][] = []
  const seen = new Map<number, number>()
  const codes = new Uint32Array(a.codes.length)
  let lastPair = -1
  let code = 0
  for (let row = 0; row < codes.length; row++) {
    const pair = a.codes[row] * width + b.codes[row]
    if (pair !== lastPair) {
      lastPair = pair
      const known = seen.get(pair)
      if (known === undefined) {
        code = partitions.push([...a.partitions[a.codes[row]], ...b.partitions[b.codes[row]]]) - 1
        seen.set(pair, code)
      } else code = known
    }
    codes[row] = code
  }
  return { partitions, codes }
}
