// An independent judge of REST: thousands of valid and invalid requests made out of /openapi.json, every answer checked against it.
import { describe, expect, it, onTestFinished } from 'vitest'
import { contract } from '../../src/contract/index.ts'
import { createDispatch } from '../../src/main/wire/dispatch.ts'
import { createHttpServer } from '../../src/main/wire/http/server.ts'
import { needs } from '../support/needs.ts'
import { plainHandlers } from '../support/plain-handlers.ts'
import { runSchemathesis } from '../support/schemathesis.ts'

const KEY = 'a-key-of-this-test'
const { skip, because } = needs('schemathesis')

describe.skipIf(skip)(`schemathesis${because}`, () => {
  it('finds nothing that the server does otherwise than it says', { timeout: 300_000 }, async () => {
    const bugs: unknown[] = []
    const server = createHttpServer({
      contract,
      dispatch: createDispatch(contract, plainHandlers(), { checkAnswers: true }),
      version: '0',
      apiKey: KEY,
      host: '127.0.0.1',
      port: 0,
      allowedHosts: [],
      corsOrigins: [],
      // Never reached, but its headers are there to be checked.
      rateLimitPerMinute: 1_000_000,
      metricsText: () => Promise.resolve(''),
      log: { debug: () => {}, error: (_message, fields) => bugs.push(fields) },
    })
    const { url } = await server.listen()
    onTestFinished(() => server.close())
    const words = ['--checks', 'all', '--max-examples', '60', '--request-timeout', '10', '--seed', '1']
    const { code, said } = await runSchemathesis(
      ['run', `${url}/openapi.json`, '--header', `X-API-Key: ${KEY}`, ...words],
      AbortSignal.timeout(280_000),
    )
    expect(said).toContain('No issues found')
    const routes = Object.values(contract).filter(capability => 'http' in capability)
    expect(said).toMatch(new RegExp(`Tested: +${routes.length}\n`))
    expect([code, bugs]).toEqual([0, []])
  })
})
