// Messages of one table that are not the full record, written anew as if they were.
import { Failure } from '../../../contract/failure.ts'
import { EMBEDDED_SCHEMA_IDS, type AvroRecord } from '../avro-schemas.ts'
import { createCursor, Malformed, pointCursor, type Cursor } from '../decode-primitives.ts'
import { compileDecoder } from '../decode.ts'
import { createValuesEncoder } from '../encode-row.ts'
import { keyOf, type LogBatch } from '../log-batch.ts'
import type { Problem } from '../standard-batch.ts'
import { partsOfTopic, type DataType, type TopicParts } from '../topics.ts'
import type { ValueBuffer } from '../value-buffer.ts'
import { createCompleter } from './complete-row.ts'
import { beginDraft, createDraft } from './draft.ts'
import { FILLED_IN, slotNamesOf } from './names.ts'
import { createJsonReader } from './read-json.ts'
import { compileSlimReader } from './read-slim.ts'

/** How messages of one schema are read: they are the full record, or are written anew, or are no rows at all. */
export type Form = 'full' | { read: (cursor: Cursor) => void } | { refused: string }

export interface Rewriter {
  formOf: (schema: AvroRecord) => Form
  /** Appends message i as the full record; or says why there is none, and appends nothing. */
  rewrite: (out: ValueBuffer, batch: LogBatch, i: number, form: Form | 'json') => Problem | undefined
}

export const WIRE_HEADER_BYTES = 5
/** Decoders fill it in themselves. */
const BY_DECODERS = 'ingestion_timestamp'

export function createRewriter(dataType: DataType): Rewriter {
  const slots = slotNamesOf(dataType)
  const draft = createDraft(slots.names)
  const readJson = createJsonReader(draft, slots.slotOf)
  const complete = createCompleter(slots)
  const put = createValuesEncoder(slots.table)
  const cursor = createCursor(draft.bytes)

  function read(batch: LogBatch, i: number, form: Form | 'json'): void {
    const { bytes, starts, ends } = batch
    if (form === 'json') {
      beginDraft(draft, bytes, starts[i], ends[i])
      readJson()
    } else if (form !== 'full' && 'read' in form) {
      beginDraft(draft, bytes, starts[i] + WIRE_HEADER_BYTES, ends[i])
      if (cursor.bytes !== draft.bytes) pointCursor(cursor, draft.bytes)
      cursor.at = 0
      cursor.end = draft.length
      form.read(cursor)
    }
  }

  /** A schema that lets be null what can be filled in is not the full record: its messages may need it. */
  function isFull(schema: AvroRecord): boolean {
    const mayNeedMore = schema.fields.some(
      ({ name, type }) => FILLED_IN.has(name) && name !== BY_DECODERS && Array.isArray(type),
    )
    try {
      if (!mayNeedMore) compileDecoder(schema, slots.table, {}, 'check')
      return !mayNeedMore
    } catch (error) {
      if (error instanceof Failure) return false
      throw error
    }
  }

  let topicName = ''
  let topic: TopicParts
  function partsOf(name: string): TopicParts {
    if (name !== topicName) topic = partsOfTopic(name)
    topicName = name
    return topic
  }

  return {
    formOf(schema) {
      if (isFull(schema)) return 'full'
      const has = (name: string) => schema.fields.some(field => slots.slotOf.get(field.name) === slots.slotOf.get(name))
      const lacking = slots.needed.find(names => !names.some(has))
      if (lacking)
        return {
          refused: `Schema ${schema.name} has no field ${lacking.join(' or ')}, so it is no row of ${dataType}.`,
        }
      try {
        return { read: compileSlimReader(schema, draft, slots.slotOf) }
      } catch (error) {
        return { refused: `Schema ${schema.name} cannot be read: ${(error as Error).message}.` }
      }
    },

    rewrite(out, batch, i, form) {
      const { length, count } = out
      try {
        read(batch, i, form)
        const { partition } = batch
        const [offset, logMicros, key] = [batch.offsets[i], batch.timestamps[i], keyOf(batch, i)]
        const row = complete(draft, { topic: partsOf(batch.topic), partition, offset, logMicros, key })
        put(out, EMBEDDED_SCHEMA_IDS[dataType], row)
        return undefined
      } catch (error) {
        if (!(error instanceof Malformed)) throw error
        out.length = length
        out.count = count
        return { reason: error.reason, error: `${error.message}.` }
      }
    },
  }
}
