// The Schema Registry, as far as K2 needs one: schemas by id for readers, ids by subject for producers. Its API is Confluent's.
// What is known stays known, as an id never changes its meaning; what is unknown is asked for again after a while.
import { cancelled } from '../base/http.ts'
import { embeddedSchemaOf, type SchemaOf } from '../market/decode-wire.ts'
import type { AvroRecord } from '../market/avro-schemas.ts'
import { isAbsent } from './registry/answers.ts'
import { openNodes, type NodesOptions } from './registry/nodes.ts'
import { parseSchema, type ParsedSchema } from './registry/parse-schema.ts'

export type { RegistryEvent } from './registry/nodes.ts'
export type RegistryOptions = NodesOptions

export interface Registered {
  id: number
  version: number
  schema: string
}

export interface SchemaRegistry {
  /** Without asking: what was learned or registered, and K2's own. */
  schemaOf: SchemaOf
  /** When it has resolved, each of these ids is known, or there is no such schema that K2 can read. UNAVAILABLE: ask again. */
  learn: (ids: readonly number[], signal?: AbortSignal) => Promise<void>
  /** Of an id that `schemaOf` does not know: why. */
  whyUnknown: (id: number) => string | undefined
  /** Gives the id under which producers write; the same for the same schema. CONFLICT with the registry's reason if it does not fit. */
  register: (subject: string, schema: AvroRecord, signal?: AbortSignal) => Promise<number>
  /** False where there is no such subject yet, and the registry takes none in advance. */
  setCompatibility: (subject: string, level: 'BACKWARD', signal?: AbortSignal) => Promise<boolean>
  compatibilityOf: (subject: string, signal?: AbortSignal) => Promise<string | undefined>
  latest: (subject: string, signal?: AbortSignal) => Promise<Registered | undefined>
  close: () => void
}

const ASKED_AGAIN_MS = 30_000
/** Ids that do not exist come from damaged messages, which may hold any number. */
const MOST_UNKNOWN = 10_000
const CALLS_AT_ONCE = 8

export function openRegistry(options: RegistryOptions): SchemaRegistry {
  const { clock = { nowMs: () => performance.now() } } = options
  const nodes = openNodes(options)
  const known = new Map<number, ParsedSchema>()
  /** When an id was found not to be there. */
  const unknown = new Map<number, number>()
  const asked = new Map<number, Promise<void>>()

  const isKnown = (id: number) => known.has(id) || embeddedSchemaOf(id) !== undefined
  function isSurelyUnknown(id: number): boolean {
    const at = unknown.get(id)
    return at !== undefined && clock.nowMs() - at < ASKED_AGAIN_MS
  }

  async function ask(id: number): Promise<void> {
    const call = { method: 'GET', path: `schemas/ids/${id}`, what: `tell schema ${id}` } as const
    const { status, body } = await nodes.call({ ...call, accepts: isAbsent, doubts: isAbsent })
    unknown.delete(id)
    if (status === 404) {
      if (unknown.size >= MOST_UNKNOWN) unknown.delete(unknown.keys().next().value!)
      unknown.set(id, clock.nowMs())
    } else known.set(id, parseSchema(id, body))
  }

  /** One call for all who want to know the same at the same time. */
  function askOnce(id: number): Promise<void> {
    let answer = asked.get(id)
    if (!answer) {
      answer = ask(id).finally(() => asked.delete(id))
      asked.set(id, answer)
    }
    return answer
  }

  return {
    schemaOf(id) {
      const found = known.get(id)
      return found ? ('schema' in found ? found.schema : undefined) : embeddedSchemaOf(id)
    },

    async learn(ids, signal) {
      const wanted = [...new Set(ids)].filter(id => !isKnown(id) && !isSurelyUnknown(id))
      const askers = Array.from({ length: Math.min(CALLS_AT_ONCE, wanted.length) }, async () => {
        for (let id = wanted.pop(); id !== undefined && !signal?.aborted; id = wanted.pop()) await askOnce(id)
      })
      await unlessAborted(Promise.all(askers), signal)
    },

    whyUnknown(id) {
      const found = known.get(id)
      if (found) return 'refused' in found ? found.refused : undefined
      return unknown.has(id) ? `The Schema Registry does not know schema ${id}.` : undefined
    },

    async register(subject, schema, signal) {
      const { body } = await nodes.call({
        method: 'POST',
        path: `subjects/${encodeURIComponent(subject)}/versions`,
        body: { schema: JSON.stringify(schema) },
        what: `register the schema of ${subject}`,
        signal,
      })
      const id = Number(body.id)
      known.set(id, { schema })
      return id
    },

    async setCompatibility(subject, level, signal) {
      const path = `config/${encodeURIComponent(subject)}`
      const what = `set the compatibility of ${subject}`
      const { status } = await nodes.call({
        method: 'PUT',
        path,
        body: { compatibility: level },
        what,
        signal,
        accepts: isAbsent,
      })
      return status !== 404
    },

    async compatibilityOf(subject, signal) {
      const path = `config/${encodeURIComponent(subject)}`
      const { status, body } = await nodes.call({
        method: 'GET',
        path,
        what: `tell the compatibility of ${subject}`,
        signal,
        accepts: isAbsent,
      })
      const level = body.compatibilityLevel ?? body.compatibility
      return status === 404 || typeof level !== 'string' ? undefined : level
    },

    async latest(subject, signal) {
      const path = `subjects/${encodeURIComponent(subject)}/versions/latest`
      const what = `tell the newest schema of ${subject}`
      const { status, body } = await nodes.call({ method: 'GET', path, what, signal, accepts: isAbsent })
      if (status === 404) return undefined
      return { id: Number(body.id), version: Number(body.version), schema: String(body.schema) }
    },

    close: nodes.close,
  }
}

/** The work goes on for others who wait for it. */
async function unlessAborted(work: Promise<unknown>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return void (await work)
  let abort = () => {}
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(cancelled())
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
  })
  try {
    await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
