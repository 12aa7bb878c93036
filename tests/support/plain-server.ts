// An HTTP server on a free loopback port with nothing set that a caller of the contract does not need.
import type { Contract, Dispatch } from '../../src/contract/capability.ts'
import { createHttpServer, type HttpServer } from '../../src/main/wire/http/server.ts'

export function createPlainServer(contract: Contract, dispatch: Dispatch, apiKey: string): HttpServer {
  const silent = () => {}
  return createHttpServer({
    contract,
    dispatch,
    version: '0',
    apiKey,
    host: '127.0.0.1',
    port: 0,
    allowedHosts: [],
    corsOrigins: [],
    rateLimitPerMinute: 0,
    metricsText: () => Promise.resolve(''),
    log: { debug: silent, error: silent },
  })
}
