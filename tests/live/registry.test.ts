// The Schema Registry's client against a real registry, with everything that can go wrong on the way to it.
import { createServer, type AddressInfo, type Socket } from 'node:net'
import avro from 'avsc'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { Failure } from '../../src/contract/failure.ts'
import { rowOf } from '../../src/contract/columns.ts'
import { trades } from '../../src/contract/tables.ts'
import { openRegistry, type RegistryOptions, type SchemaRegistry } from '../../src/main/log/registry.ts'
import { avroSchemas, type AvroRecord } from '../../src/main/market/avro-schemas.ts'
import { createCursor } from '../../src/main/market/decode-primitives.ts'
import { createRowDecoder } from '../../src/main/market/decode-rows.ts'
import { createStandardizer } from '../../src/main/market/standardize.ts'
import { startCutProxy } from '../support/cut-proxy.ts'
import { messageBatch } from '../support/message-batch.ts'
import { needs } from '../support/needs.ts'
import { startRegistry, type RegistryServer } from '../support/registry-server.ts'

const { skip, because } = needs('registry')
let subjects = 0
const newSubject = () => `market.equities.trades.test${++subjects}-value`

const note = { name: 'note', type: ['null', 'string'], default: null } as const
const evolved = (field: object): AvroRecord => ({
  ...avroSchemas.trades,
  fields: [...avroSchemas.trades.fields, field as AvroRecord['fields'][number]],
})

describe.skipIf(skip)(`a Schema Registry${because}`, () => {
  let server: RegistryServer

  beforeAll(async () => {
    server = await startRegistry()
  }, 120_000)
  afterAll(() => server?.stop())

  function open(options: Partial<RegistryOptions> = {}): SchemaRegistry {
    const registry = openRegistry({ urls: [server.url], ...options })
    onTestFinished(() => registry.close())
    return registry
  }

  describe('keeps schemas', () => {
    it('under one id each, however often they are registered, and tells them to others', async () => {
      const subject = newSubject()
      const producer = open()
      const id = await producer.register(subject, avroSchemas.trades)
      expect(await producer.register(subject, avroSchemas.trades)).toBe(id)
      const reader = open()
      expect(reader.schemaOf(id)).toBeUndefined()
      await reader.learn([id])
      expect(reader.schemaOf(id)).toEqual(avroSchemas.trades)
      expect(await reader.latest(subject)).toMatchObject({ id, version: 1 })
      expect(await reader.latest(newSubject())).toBeUndefined()
    })

    it('all three of ours, as a Confluent client reads them', async () => {
      const registry = open()
      for (const [table, schema] of Object.entries(avroSchemas)) {
        await registry.register(`${table}-value`, schema)
        const { schema: text } = (await registry.latest(`${table}-value`))!
        const type = avro.Type.forSchema(JSON.parse(text) as avro.Schema)
        expect(type.name).toBe(`com.k2.marketdata.${schema.name}`)
        expect(JSON.parse(text)).toEqual(schema)
      }
    })

    it('that got an optional field more, and whose messages are read', async () => {
      const subject = newSubject()
      const registry = open()
      await registry.setCompatibility(subject, 'BACKWARD')
      await registry.register(subject, avroSchemas.trades)
      const id = await registry.register(subject, evolved(note))
      const schema = (await registry.latest(subject))!.schema
      const row = {
        message_id: 'ASX:1:BHP:7',
        trade_id: '7',
        symbol: 'BHP',
        exchange: 'ASX',
        asset_class: 'equities',
        exchange_timestamp: 1_412_319_434_754_123,
        price: Buffer.from([0x7f, 0xff]),
        quantity: Buffer.from([1]),
        currency: 'AUD',
        ingestion_timestamp: 1_412_319_434_754_124,
        note: 'hello',
      }
      const value = avro.Type.forSchema(JSON.parse(schema) as avro.Schema).toBuffer(row)
      const header = Buffer.from([0, 0, 0, 0, 0])
      header.writeUInt32BE(id, 1)
      const reader = open()
      const batch = messageBatch([Buffer.concat([header, value])], { topic: 'market.equities.trades.asx' })
      const standard = await createStandardizer({ schemas: reader })(batch)
      expect(standard).toBe(batch)
      const decoder = createRowDecoder(trades, new Set(['symbol', 'price', 'exchange_timestamp']), reader.schemaOf)
      decoder.begin(1)
      decoder.read({ ...createCursor(batch.bytes), at: 0, end: batch.ends[0] }, 0)
      expect(rowOf({ rowCount: 1, columns: decoder.columns() }, 0)).toEqual({
        symbol: 'BHP',
        exchange_timestamp: '2014-10-03T06:57:14.754123Z',
        price: '0.00032767',
      })
    })

    it('and refuses one that does not fit, with its own reason', async () => {
      const subject = newSubject()
      const registry = open()
      await registry.setCompatibility(subject, 'BACKWARD')
      await registry.register(subject, avroSchemas.trades)
      const added = evolved({ name: 'desk', type: 'string' })
      const failure = await registry.register(subject, added).catch((error: unknown) => error as Failure)
      expect(failure).toMatchObject({ code: 'CONFLICT', retryable: false })
      expect((failure as Failure).message).toMatch(/not compatible.*Incompatible artifact/)
      expect(await registry.compatibilityOf(subject)).toBe('BACKWARD')
      expect(await registry.latest(subject)).toMatchObject({ version: 1 })
    })
  })

  describe('is asked for an id that is not there', () => {
    it('once in 30 seconds, and then again', async () => {
      const proxy = await startCutProxy(server.url.replace('/apis/ccompat/v7', ''))
      onTestFinished(() => proxy.stop())
      let nowMs = 0
      const registry = open({ urls: [`${proxy.url}/apis/ccompat/v7`], clock: { nowMs: () => nowMs } })
      const missing = 2 ** 30
      await registry.learn([missing, missing])
      await registry.learn([missing])
      expect(proxy.seen).toEqual([`GET /apis/ccompat/v7/schemas/ids/${missing}`])
      expect(registry.schemaOf(missing)).toBeUndefined()
      expect(registry.whyUnknown(missing)).toContain(`does not know schema ${missing}`)
      nowMs = 30_001
      await registry.learn([missing])
      expect(proxy.seen).toHaveLength(2)
    })

    it('at every node before it counts as unknown', async () => {
      const id = await open().register(newSubject(), avroSchemas.quotes)
      const lagging = await startAnswering(404, { error_code: 40403, message: 'Schema not found' })
      const registry = open({ urls: [lagging, server.url] })
      await registry.learn([id])
      expect(registry.schemaOf(id)?.name).toBe('QuoteV2')
    })

    it('and something else answers 404: that is no word of the registry', async () => {
      const proxy = await startAnswering(404, '<html>Not here</html>')
      await expect(open({ urls: [proxy] }).learn([1])).rejects.toMatchObject({
        code: 'NOT_FOUND',
        message: expect.stringContaining('K2_SCHEMA_REGISTRY_URL') as string,
      })
    })
  })

  describe('of two nodes', () => {
    const quick = { timeoutMs: 1_000, retry: { tries: 2, firstMs: 10 } }

    it('is asked at the second when the first is not there, and at the first again later', async () => {
      const id = await open().register(newSubject(), avroSchemas.trades)
      const proxy = await startCutProxy(server.url.replace('/apis/ccompat/v7', ''))
      const address = `${proxy.url}/apis/ccompat/v7`
      await proxy.stop()
      let nowMs = 0
      const events: string[] = []
      const registry = open({
        urls: [address, server.url],
        clock: { nowMs: () => nowMs },
        onEvent: ({ kind }) => events.push(kind),
        ...quick,
      })
      await registry.learn([id])
      expect(registry.schemaOf(id)?.name).toBe('TradeV2')
      expect(events).toEqual(['node-failed'])
      await registry.learn([id + 1000])
      // Both, as the second does not know it.
      expect(events).toEqual(['node-failed', 'node-failed'])
      await registry.latest('x')
      expect(events).toHaveLength(2)
      nowMs = 30_001
      await registry.latest('x')
      expect(events).toHaveLength(3)
    })

    it('is asked at the second when the first accepts and says nothing', async () => {
      const silent = await startSilent()
      const id = await open().register(newSubject(), avroSchemas.trades)
      const registry = open({ urls: [silent, server.url], ...quick })
      const begun = performance.now()
      await registry.learn([id])
      expect(registry.schemaOf(id)?.name).toBe('TradeV2')
      expect(performance.now() - begun).toBeGreaterThanOrEqual(300)
      const again = performance.now()
      await registry.latest('x')
      expect(performance.now() - again).toBeLessThan(300)
    })

    it('is asked at the second when the first answers 500, also to register', async () => {
      const failing = await startAnswering(500, { error_code: 50001, message: 'Error in the backend data store' })
      const registry = open({ urls: [failing, server.url], ...quick })
      const id = await registry.register(newSubject(), avroSchemas.trades)
      expect(id).toBeGreaterThan(0)
    })

    it('says of each why it does not answer when none does', async () => {
      const failing = await startAnswering(503, 'busy')
      const failure = await open({ urls: [await startSilent(), failing], ...quick })
        .learn([1])
        .catch((error: unknown) => error as Failure)
      expect(failure).toMatchObject({ code: 'UNAVAILABLE', retryable: true })
      expect((failure as Failure).message).toMatch(/no whole answer within 1000 ms.*HTTP 503: busy/)
    })
  })

  describe('that goes away', () => {
    it('is missed at once, keeps what was learned known, and is asked again when it is back', async () => {
      const own = await startRegistry()
      onTestFinished(() => own.stop())
      const registry = openRegistry({ urls: [own.url] })
      onTestFinished(() => registry.close())
      const id = await registry.register('a-value', avroSchemas.trades)
      const later = await registry.register('b-value', avroSchemas.quotes)
      const reader = openRegistry({ urls: [own.url], timeoutMs: 1_500, retry: { tries: 2, firstMs: 10 } })
      onTestFinished(() => reader.close())
      await reader.learn([id])

      own.pause()
      await expect(reader.learn([later])).rejects.toMatchObject({ code: 'UNAVAILABLE' })
      own.resume()
      await own.kill()
      await expect(reader.learn([id, later])).rejects.toMatchObject({
        code: 'UNAVAILABLE',
        message: expect.stringContaining('nothing listens there') as string,
      })
      expect(reader.schemaOf(id)?.name).toBe('TradeV2')
      expect(reader.schemaOf(later)).toBeUndefined()

      await own.restart()
      await reader.learn([later])
      expect(reader.schemaOf(later)?.name).toBe('QuoteV2')
    }, 60_000)
  })
})

/** Every call gets this answer. */
async function startAnswering(status: number, body: unknown): Promise<string> {
  const proxy = await startCutProxy('http://127.0.0.1:1')
  onTestFinished(() => proxy.stop())
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  for (let i = 0; i < 50; i++) proxy.cuts.push({ on: /./, forwarded: false, then: { status, text } })
  return proxy.url
}

/** Accepts connections and never says anything. */
async function startSilent(): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createServer(socket => void sockets.add(socket))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(
    () =>
      new Promise<void>(resolve => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  )
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
