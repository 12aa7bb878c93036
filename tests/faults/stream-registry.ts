// A registry that is away, fails, is slow, and does not know a schema, while messages of later schemas come in.
import { setTimeout as sleep } from 'node:timers/promises'
import { openRegistry, type SchemaRegistry } from '../../src/main/log/registry.ts'
import { avroSchemas } from '../../src/main/market/avro-schemas.ts'
import { startCutProxy } from '../support/cut-proxy.ts'
import { openFeed, type FeedTopic } from '../support/stream-feed.ts'
import { openStreamPlace, type StreamServers } from '../support/stream-place.ts'
import { judgeStream, type Verdict } from '../support/stream-verdict.ts'
import { untilCommitted, untilState } from '../support/stream-wait.ts'

const MESSAGES = 2_000
const FAILURES = 7
/** Quotes under a schema that is registered only afterwards. */
const UNKNOWN = 50

export async function registryTrouble(servers: StreamServers, downMs: number): Promise<Verdict> {
  const { url } = servers.registry
  const { origin, pathname } = new URL(url)
  const proxy = await startCutProxy(origin)
  const options = { name: 'registry', registryUrl: `${proxy.url}${pathname}` }
  const place = await openStreamPlace(servers, options)
  place.scope.add(() => proxy.stop())
  const registry = openRegistry({ urls: [url] })
  place.scope.add(registry.close)
  try {
    const complaints: string[] = []
    const expect = (holds: boolean, what: string) => void (holds || complaints.push(what))
    const [trades, quotes] = place.topics
    const feed = openFeed(place.log, [trades])
    const judged = { ...place, feed }
    await feed.produce(MESSAGES)
    const writer = await place.startWriter({ halfOpenAfterMs: 1_000 })
    await untilCommitted(place, writer)

    // Away: what is known is written on, what is not waits.
    await evolve(registry, trades)
    await servers.registry.kill()
    await openFeed(place.log, [{ ...quotes }]).produce(MESSAGES)
    await feed.produce(MESSAGES)
    const { why } = await untilState(writer, 'waiting')
    expect(/Schema Registry|schema registry/.test(why ?? ''), `it waits because ${why}`)
    await sleep(downMs)
    await servers.registry.restart()
    await untilCommitted(place, writer)

    // Failing.
    await evolve(registry, trades)
    for (let i = 0; i < FAILURES; i++)
      proxy.cuts.push({ on: /schemas\/ids/, forwarded: false, then: { status: 500, text: 'It burns.' } })
    await feed.produce(MESSAGES)
    await untilCommitted(place, writer)
    expect(proxy.cuts.length === 0, 'it did not hear that the registry fails')

    // Slow.
    await evolve(registry, trades)
    servers.registry.pause()
    await feed.produce(MESSAGES)
    await sleep(downMs / 2)
    servers.registry.resume()
    await untilCommitted(place, writer)

    // Not knowing: its messages are set aside, and written when they are replayed after it knows.
    const { schemaId } = await evolve(registry, { ...trades })
    const early: FeedTopic = { ...quotes, schemaId: schemaId + 1, furtherFields: 1 }
    await openFeed(place.log, [early], { from: MESSAGES, spread: 1e6 }).produce(UNKNOWN)
    await untilCommitted(place, writer)
    const filter = { topic: quotes.topic, reason: 'unknown_schema', limit: 1 }
    const { pagination } = await writer.client['deadLetters.list'](filter)
    expect(pagination?.total === UNKNOWN, `${pagination?.total} of unknown schema are set aside, not ${UNKNOWN}`)
    const later = await evolve(registry, { ...quotes })
    expect(later.schemaId === early.schemaId, `the registry gave ${later.schemaId}, not ${early.schemaId}`)
    complaints.push(...(await writer.close()))
    const again = await place.startWriter()
    await again.started
    // Those that cannot be read are among the quotes from before, and stay what they are.
    const replay = async () => {
      const { written, already_there } = await again.client['deadLetters.replay']({ topic: quotes.topic })
      return `${written} written, ${already_there} there`
    }
    const [once, twice] = [await replay(), await replay()]
    expect(once === `${UNKNOWN} written, 0 there`, `the replay says ${once}`)
    expect(twice === `0 written, ${UNKNOWN} there`, `the second replay says ${twice}`)
    complaints.push(...(await again.close()))
    const verdict = await judgeStream(judged)
    return { ...verdict, complaints: [...complaints, ...verdict.complaints] }
  } finally {
    servers.registry.resume()
    await place.close()
  }
}

/** A version more, with an optional field more at the end. */
async function evolve(registry: SchemaRegistry, own: FeedTopic): Promise<FeedTopic> {
  own.furtherFields = (own.furtherFields ?? 0) + 1
  const fields = Array.from({ length: own.furtherFields }, (_, i) => ({
    name: `further_${i}`,
    type: ['null', 'string'],
    default: null,
  }))
  const schema = avroSchemas[own.table]
  own.schemaId = await registry.register(`${own.topic}-value`, { ...schema, fields: [...schema.fields, ...fields] })
  return own
}
