// The log's messages, whatever form they came in, as whole rows in Confluent's wire format: what tail and writer read.
// Nearly all are that already; then the batch comes back as it is, after one look at the first bytes of each message.
import { TABLES } from '../../contract/tables.ts'
import { embeddedSchemaOf, type SchemaOf } from './decode-wire.ts'
import { exchangeCaseOf, type ExchangeCase } from './exchange-case.ts'
import { createRewriter, WIRE_HEADER_BYTES, type Form, type Rewriter } from './forms/rewrite.ts'
import { NONE, type LogBatch } from './log-batch.ts'
import type { Problem, StandardBatch, Standardize } from './standard-batch.ts'
import { tableOfTopic, type DataType } from './topics.ts'
import { clearValues, createValueBuffer } from './value-buffer.ts'

export interface Schemas {
  schemaOf: SchemaOf
  /** When it has resolved, `schemaOf` knows each of these ids, or there is no such schema that K2 can read. */
  learn: (ids: readonly number[], signal?: AbortSignal) => Promise<void>
  /** Of an id that `schemaOf` does not know: why. */
  whyUnknown?: (id: number) => string | undefined
}

/** Where there is no registry: K2's own messages, JSON, and nothing else. */
export const noRegistry: Schemas = {
  schemaOf: embeddedSchemaOf,
  learn: () => Promise.resolve(),
  whyUnknown: id =>
    `Schema ${id} is not known, as no Schema Registry is set: give its address in K2_SCHEMA_REGISTRY_URL.`,
}

/** What is known of the messages of one table. */
interface TableForms {
  dataType: DataType
  rewriter: Rewriter
  /** By schema id. */
  forms: Map<number, Form>
  /** Of those that are the full record. */
  cases: Map<number, ExchangeCase>
}

const [OPEN_BRACE, SPACE, BOM] = [123, 32, 0xef]

export function createStandardizer({ schemas }: { schemas: Schemas }): Standardize {
  const tables = new Map<DataType, TableForms>()
  const topics = new Map<string, TableForms>()
  const out = createValueBuffer()

  function formsOf(topic: string): TableForms {
    let known = topics.get(topic)
    if (known) return known
    const dataType = tableOfTopic(topic)
    known = tables.get(dataType) ?? newForms(dataType)
    tables.set(dataType, known)
    topics.set(topic, known)
    return known
  }

  /** The form of a schema's messages, once the schema is known. */
  function formOf({ forms, cases, rewriter, dataType }: TableForms, id: number): Form | undefined {
    let form = forms.get(id)
    if (form) return form
    const schema = schemas.schemaOf(id)
    if (!schema) return undefined
    form = rewriter.formOf(schema)
    forms.set(id, form)
    if (form === 'full') cases.set(id, exchangeCaseOf(schema, TABLES[dataType]))
    return form
  }

  function unknownIds(batch: LogBatch, table: TableForms, from: number): number[] {
    const unknown = new Set<number>()
    let lastId = -1
    for (let i = from; i < batch.count; i++) {
      const id = schemaIdAt(batch, i)
      if (id === lastId || id === NONE) continue
      lastId = id
      if (!formOf(table, id)) unknown.add(id)
    }
    return [...unknown]
  }

  function problemAt(batch: LogBatch, i: number, table: TableForms): Problem | undefined {
    if (batch.starts[i] === NONE) {
      if (table.dataType === 'reference_data') return undefined
      return { reason: 'no_value', error: `A message of ${table.dataType} without a value says nothing.` }
    }
    const id = schemaIdAt(batch, i)
    if (id === NONE) {
      if (isJson(batch, i)) return table.rewriter.rewrite(out, batch, i, 'json')
      return { reason: 'undecodable', error: 'The message is neither in Confluent wire format nor a JSON object.' }
    }
    const form = formOf(table, id)
    if (form === 'full') {
      table.cases.get(id)!.putUpper(out, batch.bytes, batch.starts[i], batch.ends[i])
      return undefined
    }
    if (!form) {
      const why = schemas.whyUnknown?.(id) ?? `The Schema Registry does not know schema ${id}.`
      return { reason: 'unknown_schema', error: why }
    }
    if ('refused' in form) return { reason: 'unknown_schema', error: form.refused }
    return table.rewriter.rewrite(out, batch, i, form)
  }

  /** In one go, so that what is used again for every batch is in nobody else's hands. */
  function rewritten(batch: LogBatch, table: TableForms): StandardBatch {
    clearValues(out)
    const problems = new Map<number, Problem>()
    /** By message: how many were written anew before it and with it. */
    const written = new Uint32Array(batch.count)
    for (let i = 0; i < batch.count; i++) {
      const problem = problemAt(batch, i, table)
      if (problem) problems.set(i, problem)
      written[i] = out.count
    }
    const own = out.count === 0 ? batch : withWritten(batch, written, out)
    return problems.size === 0 ? own : { ...own, problems }
  }

  return function standardize(batch, signal) {
    const table = formsOf(batch.topic)
    const odd = firstOdd(batch, table)
    if (odd === batch.count) return batch
    const unknown = unknownIds(batch, table, odd)
    if (unknown.length === 0) return rewritten(batch, table)
    return schemas.learn(unknown, signal).then(() => rewritten(batch, table))
  }
}

function newForms(dataType: DataType): TableForms {
  return { dataType, rewriter: createRewriter(dataType), forms: new Map(), cases: new Map() }
}

/** The first message that is not certainly the full record as it is stored. Millions a second come through here. */
function firstOdd({ bytes, starts, ends, count }: LogBatch, { cases, dataType }: TableForms): number {
  const mayBeGone = dataType === 'reference_data'
  let fullId = -1
  let exchange: ExchangeCase | undefined
  for (let i = 0; i < count; i++) {
    const at = starts[i]
    if (at === NONE) {
      if (mayBeGone) continue
      return i
    }
    if (ends[i] - at < WIRE_HEADER_BYTES || bytes[at] !== 0) return i
    const id = ((bytes[at + 1] << 24) | (bytes[at + 2] << 16) | (bytes[at + 3] << 8) | bytes[at + 4]) >>> 0
    if (id !== fullId) exchange = cases.get(id)
    fullId = id
    if (!exchange || exchange.isDoubtful(bytes, at, ends[i])) return i
  }
  return count
}

/** NONE for what is not in Confluent's wire format. */
function schemaIdAt({ bytes, starts, ends }: LogBatch, i: number): number {
  const at = starts[i]
  if (at === NONE || ends[i] - at < WIRE_HEADER_BYTES || bytes[at] !== 0) return NONE
  return bytes.readUInt32BE(at + 1)
}

/** By its first byte that is no white space; some programs put a byte order mark before it. */
function isJson({ bytes, starts, ends }: LogBatch, i: number): boolean {
  let at = starts[i]
  while (at < ends[i] && bytes[at] <= SPACE && bytes[at] > 0) at++
  return at < ends[i] && (bytes[at] === OPEN_BRACE || bytes[at] === BOM)
}

/** The batch with what was written anew in the place of what came; its bytes are its own. */
function withWritten(batch: LogBatch, written: Uint32Array, out: ReturnType<typeof createValueBuffer>): LogBatch {
  const { count } = batch
  let size = out.length
  for (let i = 0; i < count; i++) {
    if (batch.keyStarts[i] !== NONE) size += batch.keyEnds[i] - batch.keyStarts[i]
    if (batch.starts[i] !== NONE) size += batch.ends[i] - batch.starts[i]
  }
  const bytes = Buffer.allocUnsafe(size)
  const [starts, ends] = [new Int32Array(count).fill(NONE), new Int32Array(count).fill(NONE)]
  const [keyStarts, keyEnds] = [new Int32Array(count).fill(NONE), new Int32Array(count).fill(NONE)]
  let at = 0
  const copy = (source: Buffer, from: number, to: number) => (at += source.copy(bytes, at, from, to))
  for (let i = 0; i < count; i++) {
    const place = written[i]
    const isNew = place > (i === 0 ? 0 : written[i - 1])
    if (isNew || batch.starts[i] !== NONE) {
      starts[i] = at
      if (isNew) copy(out.bytes, place === 1 ? 0 : out.ends[place - 2], out.ends[place - 1])
      else copy(batch.bytes, batch.starts[i], batch.ends[i])
      ends[i] = at
    }
    if (batch.keyStarts[i] === NONE) continue
    keyStarts[i] = at
    copy(batch.bytes, batch.keyStarts[i], batch.keyEnds[i])
    keyEnds[i] = at
  }
  return { ...batch, bytes: bytes.subarray(0, at), starts, ends, keyStarts, keyEnds }
}
