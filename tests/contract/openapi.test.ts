// The OpenAPI document is the promise to scripts: it changes only on purpose, with K2_UPDATE=1.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { failureCodes } from '../../src/contract/failure.ts'
import { contract } from '../../src/contract/index.ts'
import { trades } from '../../src/contract/tables.ts'
import { openApi } from '../../src/main/wire/openapi.ts'
import { resolve, type Answer, type Operation, type Parameter } from '../../src/main/wire/openapi-document.ts'
import { sample } from '../support/sample.ts'

const file = join(import.meta.dirname, 'openapi.json')
const manifest = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as {
  version: string
}
const document = openApi(contract, { version: manifest.version })

it('is the document that is checked in', () => {
  if (process.env.K2_UPDATE === '1') writeFileSync(file, `${JSON.stringify(document, null, 2)}\n`)
  expect(JSON.parse(JSON.stringify(document))).toEqual(JSON.parse(readFileSync(file, 'utf8')))
})

describe('the document', () => {
  const operations = Object.values(document.paths).flatMap(path => Object.values(path))
  const named = (name: string): Operation => operations.find(({ operationId }) => operationId === name)!
  const answerOf = (name: string, status: number): Answer => resolve(document, named(name).responses[status])

  it('has every capability that has a route, and no other', () => {
    const routed = Object.entries(contract).filter(([, capability]) => 'http' in capability)
    expect(operations.map(({ operationId }) => operationId).sort()).toEqual(routed.map(([name]) => name).sort())
  })

  it('refers to nothing that it does not define', () => {
    const references = JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)
    for (const [, path] of references) {
      const target = path.split('/').reduce<unknown>((at, key) => (at as Record<string, unknown>)?.[key], document)
      expect(target, path).toBeDefined()
    }
  })

  it('describes every parameter', () => {
    const parameters = operations.flatMap(operation => operation.parameters).filter(parameter => 'name' in parameter)
    expect(parameters.length).toBeGreaterThan(10)
    expect(parameters.filter(({ description }) => !description).map(({ name }) => name)).toEqual([])
  })

  it('says limits, defaults and what is required', () => {
    const parameters = named('trades.recent').parameters as Parameter[]
    expect(parameters.find(({ name }) => name === 'limit')).toMatchObject({
      in: 'query',
      required: false,
      schema: { type: 'integer', minimum: 1, maximum: 10_000, default: 1000 },
    })
    expect(parameters.find(({ name }) => name === 'symbol')).toMatchObject({ required: true })
  })

  it('shows rows as objects of the columns of their table', () => {
    const { schema } = answerOf('trades.recent', 200).content['application/json']
    expect(schema.properties!.data).toEqual({ type: 'array', items: { $ref: '#/components/schemas/TradesRow' } })
    const row = document.components.schemas.TradesRow
    expect(Object.keys(row.properties!)).toEqual(trades.columns.map(({ name }) => name))
    expect(row.properties!.price).toMatchObject({ type: 'string' })
  })

  it('lists the failures of each route by status, with their codes', () => {
    const { responses } = named('tail.follow')
    expect(Object.keys(responses)).toEqual([
      '200',
      '400',
      '401',
      '403',
      '404',
      '409',
      '421',
      '429',
      '500',
      '503',
      '504',
    ])
    expect(answerOf('tail.follow', 409).description).toBe('OFFSET_OUT_OF_RANGE, CONFLICT')
    expect(answerOf('tail.follow', 429).headers).toHaveProperty('Retry-After')
    const { schema } = answerOf('tail.follow', 503).content['application/json']
    expect(JSON.stringify(schema)).toContain('"enum":["UNAVAILABLE"]')
    expect(named('system.live').responses).not.toHaveProperty('401')
    expect(named('system.live').security).toEqual([])
  })

  it('puts what is in the path there, and what a POST takes into its body', () => {
    const { paths } = openApi(sample, { version: '1' })
    expect(paths['/v1/fail/{what}'].get!.parameters[0]).toMatchObject({ name: 'what', in: 'path', required: true })
    const ticks = paths['/v1/ticks'].post!
    expect(ticks.requestBody).toMatchObject({ required: false })
    expect(Object.keys(ticks.responses)).toEqual(expect.arrayContaining(['413', '415']))
  })

  it('shows a stream as events whose data is a batch', () => {
    const [type, media] = Object.entries(answerOf('tail.follow', 200).content)[0]
    expect(type).toBe('text/event-stream')
    const [live] = media.schema.anyOf!
    expect(live.properties!.data.contentSchema!.properties).toHaveProperty('cursor')
    expect(named('tail.follow').parameters).toContainEqual(
      expect.objectContaining({ name: 'Last-Event-ID', in: 'header' }),
    )
  })

  it('shows at one address the streams that are served there', () => {
    const [live, replayed] = answerOf('tail.follow', 200).content['text/event-stream'].schema.anyOf!
    expect(Object.keys(live.properties!.data.contentSchema!.properties!)).toContain('newest_at')
    expect(Object.keys(replayed.properties!.data.contentSchema!.properties!)).toContain('clock')
    expect(named('tail.follow').description).toMatch(
      /^With \?replay_session=… .* \/v1\/replay\/sessions\/\{session\}\/stream/,
    )
  })
})

it('is told to people with every code that a caller can meet, and its status', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/api.md'), 'utf8')
  for (const [code, { status }] of Object.entries(failureCodes))
    expect(page, code).toMatch(code === 'CANCELLED' ? /499/ : new RegExp(`^\\| ${status} \\| .*\\b${code}\\b`, 'm'))
})
