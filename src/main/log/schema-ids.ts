// Under which schema id a producer of ours writes to a topic: the registry's, and K2's own where there is no registry.
import { avroSchemas, EMBEDDED_SCHEMA_IDS } from '../market/avro-schemas.ts'
import { tableOfTopic } from '../market/topics.ts'
import type { SchemaRegistry } from './registry.ts'

/** By Confluent's default strategy. */
export function subjectOf(topic: string): string {
  return `${topic}-value`
}

/** Asks once a topic; registers the schema where it is missing, and is refused where it does not fit. */
export function createSchemaIds(registry?: SchemaRegistry): (topic: string) => Promise<number> {
  const ids = new Map<string, Promise<number>>()
  return async topic => {
    const table = tableOfTopic(topic)
    if (!registry) return EMBEDDED_SCHEMA_IDS[table]
    let id = ids.get(topic)
    if (!id) {
      id = registerSchema(registry, topic)
      ids.set(topic, id)
      id.catch(() => ids.delete(topic))
    }
    return id
  }
}

/** Compatibility first, so that a schema that does not fit cannot slip in before it is asked for. */
export async function registerSchema(registry: SchemaRegistry, topic: string): Promise<number> {
  const subject = subjectOf(topic)
  const isSet = await registry.setCompatibility(subject, 'BACKWARD')
  const id = await registry.register(subject, avroSchemas[tableOfTopic(topic)])
  // Some registries know a subject only from its first schema on.
  if (!isSet) await registry.setCompatibility(subject, 'BACKWARD')
  return id
}
