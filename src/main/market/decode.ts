// From the schema a message was written with to a function that reads one straight into columns.
// Resolution happens here, once per schema: fields are matched by name, unknown ones are skipped, missing ones are null.
// A field is a step of data, not a closure and not generated code: measured, closures took a tenth to a quarter longer.
import { Failure } from '../../contract/failure.ts'
import type { ColumnSpec, TableSpec } from '../../contract/tables.ts'
import { DECIMAL_SCALE, type AvroRecord, type AvroType } from './avro-schemas.ts'
import {
  Malformed,
  malformed,
  readBoolean,
  readDays,
  readIndex,
  readRescaledDecimal,
  type Cursor,
  type Pairs,
} from './decode-primitives.ts'
import { BLOCKS, DECIMAL, ENUM, functionStep, LONG, NOWHERE, readStep, TEXT, TIME, type Step } from './decode-steps.ts'
import { CHANGING_FIELDS } from './fingerprint.ts'
import type { ProblemReason } from './standard-batch.ts'
import { createSkippers, typeName, unwrap, type Attributes, type ReadField } from './decode-skip.ts'

/**
 * Where a column's values go. `none` is called for a null, `take` with the bytes from … to of a text, list or map: both as
 * they are when the first message of a schema comes, and neither as a method. Measured, looking them up in sinks of so many
 * shapes for every message took a twentieth of the writer's time.
 */
export type Sink =
  | { pairs: Pairs; none: (row: number) => void }
  | { micros: Float64Array; none: (row: number) => void }
  | { codes: Uint8Array; none: (row: number) => void }
  | { days: Int32Array; none: (row: number) => void }
  | { take: (cursor: Cursor, row: number) => void; none: (row: number) => void }

type SinkOf<K extends string> = Extract<Sink, Record<K, unknown>> | undefined

/** Reads the message at the cursor into a row of the sinks, or throws a Failure that says which field is wrong. */
export type Decode = (cursor: Cursor, row: number) => void

/**
 * What to do with a column that has no sink: `check` reads it as strictly as if it had one, so that a message accepted
 * once can be read in full later; `skip` only passes over it, for messages that were checked before.
 */
export type Others = 'check' | 'skip'

/** Messages may leave it to the log, whose own time then stands in. */
const FROM_LOG = 'ingestion_timestamp'

/** A schema that cannot give the table's required columns is a Failure. */
export function compileDecoder(
  schema: AvroRecord,
  table: TableSpec,
  sinks: Readonly<Record<string, Sink>>,
  others: Others,
): Decode {
  const skipOf = createSkippers()
  const specs = new Map(table.columns.map(spec => [spec.name, spec]))
  const steps: Step[] = []
  const names: string[] = []
  for (const { name, type } of schema.fields) {
    const spec = specs.get(name)
    // Compiled in any case: a type that is named here may be referred to further down.
    const skip = skipOf(type)
    specs.delete(name)
    names.push(name)
    const isSkipped = !spec || (others === 'skip' && !sinks[name])
    const step = isSkipped ? functionStep(skip) : columnStep(schema, type, spec, sinks[name])
    steps.push({ ...step, isLeftOut: spec !== undefined && CHANGING_FIELDS.has(name) })
  }
  for (const spec of specs.values()) {
    if (spec.name.startsWith('_')) continue
    if (isNeeded(spec)) throw mismatch(schema, spec, 'is not in it', 'missing_field')
    steps.push(functionStep(noneReader(spec, sinks[spec.name])))
    names.push(spec.name)
  }

  return function decode(cursor, row) {
    let field = 0
    cursor.leftOutCount = 0
    try {
      for (; field < steps.length; field++) {
        const step = steps[field]
        const from = cursor.at
        readStep(step, cursor, row)
        if (step.isLeftOut) leaveOut(cursor, from)
      }
    } catch (cause) {
      if (!isMalformed(cause)) throw cause
      const { message, reason } = cause
      throw new Failure('INVALID_INPUT', `${names[field]}: ${message}`, { cause, details: { reason } })
    }
  }
}

/** Nested so deep that the stack does not reach is malformed too; anything else is a bug, and no message's fault. */
function isMalformed(cause: unknown): cause is { message: string; reason?: ProblemReason } {
  return cause instanceof Malformed || (cause instanceof RangeError && cause.message.startsWith('Maximum call stack'))
}

function columnStep(schema: AvroRecord, type: AvroType, spec: ColumnSpec, sink: Sink | undefined): Step {
  const inner = unwrap(type)
  if (Array.isArray(inner)) return unionStep(schema, inner, spec, sink)
  const step = stepOf(inner, spec, sink)
  if (!step) throw mismatch(schema, spec, `is ${JSON.stringify(inner)}, which is not a ${spec.type}`, 'invalid_value')
  return step
}

function unionStep(schema: AvroRecord, types: readonly AvroType[], spec: ColumnSpec, sink: Sink | undefined): Step {
  const branches = types.map(type =>
    type === 'null' ? functionStep(noneReader(spec, sink)) : columnStep(schema, type, spec, sink),
  )
  const nullAt = types.indexOf('null')
  if (types.length === 2 && nullAt >= 0 && !isNeeded(spec) && branches[1 - nullAt].nullAt < 0)
    return { ...branches[1 - nullAt], nullAt, none: sink?.none ?? NOWHERE.none }
  return functionStep((cursor, row) => readStep(branches[readIndex(cursor, branches.length)], cursor, row))
}

function stepOf(type: Exclude<AvroType, AvroType[]>, spec: ColumnSpec, sink: Sink | undefined): Step | undefined {
  const name = typeName(type)
  const attributes: Attributes = typeof type === 'string' ? {} : type
  const step = { ...NOWHERE, isKept: sink !== undefined }
  const take = (sink as SinkOf<'take'>)?.take
  switch (spec.type) {
    case 'string':
      return name === 'string' ? { ...step, kind: TEXT, take } : undefined
    case 'enum':
      return name === 'enum' ? enumStep(attributes.symbols as string[], spec, sink as SinkOf<'codes'>) : undefined
    case 'timestamp': {
      const unit = { 'timestamp-micros': 1, 'timestamp-millis': 1000 }[String(attributes.logicalType)]
      if (name !== 'long' || !unit) return undefined
      return { ...step, kind: TIME, size: unit, times: (sink as SinkOf<'micros'>) ?? NOWHERE.times }
    }
    case 'decimal':
      if (name !== 'bytes' || attributes.logicalType !== 'decimal') return undefined
      return decimalStep(Number(attributes.scale ?? 0), sink as SinkOf<'pairs'>)
    case 'date':
      if (name !== 'int' || attributes.logicalType !== 'date') return undefined
      return functionStep(dateReader(sink as SinkOf<'days'>))
    case 'boolean':
      return name === 'boolean' ? functionStep(booleanReader(sink as SinkOf<'codes'>)) : undefined
    case 'long':
      if (name !== 'long' && name !== 'int') return undefined
      return { ...step, kind: LONG, numbers: (sink as SinkOf<'pairs'>) ?? NOWHERE.numbers }
    case 'list':
      return name === 'array' && attributes.items === 'string' ? { ...step, kind: BLOCKS, size: 1, take } : undefined
    case 'map':
      return name === 'map' && attributes.values === 'string' ? { ...step, kind: BLOCKS, size: 2, take } : undefined
    default:
      return undefined
  }
}

function enumStep(symbols: readonly string[], { values = [] }: ColumnSpec, sink: SinkOf<'codes'>): Step {
  return {
    ...NOWHERE,
    kind: ENUM,
    isKept: sink !== undefined,
    codes: sink ?? NOWHERE.codes,
    size: symbols.length,
    codeOf: Int32Array.from(symbols, symbol => values.indexOf(symbol)),
    refuse: index => malformed(`${symbols[index]} is none of ${values.join(', ')}`, 'invalid_value'),
  }
}

function decimalStep(scale: number, sink: SinkOf<'pairs'>): Step {
  const numbers = sink ?? NOWHERE.numbers
  const isKept = sink !== undefined
  if (scale === DECIMAL_SCALE) return { ...NOWHERE, kind: DECIMAL, isKept, numbers }
  return functionStep((cursor, row) =>
    readRescaledDecimal(cursor, DECIMAL_SCALE - scale, numbers.pairs, isKept ? row : 0),
  )
}

function dateReader(sink: SinkOf<'days'>): ReadField {
  if (!sink) return cursor => void readDays(cursor)
  return (cursor, row) => {
    sink.days[row] = readDays(cursor)
  }
}

function booleanReader(sink: SinkOf<'codes'>): ReadField {
  if (!sink) return cursor => void readBoolean(cursor)
  return (cursor, row) => {
    sink.codes[row] = readBoolean(cursor)
  }
}

/** Notes where a field lies, for the fingerprint of the message. */
function leaveOut(cursor: Cursor, from: number): void {
  const at = 2 * cursor.leftOutCount++
  cursor.leftOut[at] = from
  cursor.leftOut[at + 1] = cursor.at
}

function noneReader(spec: ColumnSpec, sink: Sink | undefined): ReadField {
  if (isNeeded(spec)) return () => malformed('is null, and every row needs one', 'missing_field')
  const none = sink?.none ?? NOWHERE.none
  return (_, row) => none(row)
}

function isNeeded({ name, required }: ColumnSpec): boolean {
  return required && name !== FROM_LOG
}

function mismatch(schema: AvroRecord, spec: ColumnSpec, why: string, reason: ProblemReason): Failure {
  const name = `${schema.namespace}.${schema.name}`
  const message = `Messages of schema ${name} cannot be read: field ${spec.name} ${why}.`
  return new Failure('INVALID_INPUT', message, { details: { reason } })
}
