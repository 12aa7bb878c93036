// What is used of kafkajs: not its clients, but the connection below them (sockets, TLS, SASL, matching answers to
// requests). It has no types of its own. kafkajs is pinned and no longer changes, so its inner modules are as stable
// as its surface.
declare module 'kafkajs/src/network/connection.js' {
  import type { Socket } from 'node:net'

  interface KafkajsLogger {
    namespace: () => KafkajsLogger
    error: (message: string) => void
    warn: (message: string) => void
    info: (message: string) => void
    debug: (message: string) => void
  }

  interface KafkajsRequest<T> {
    request: {
      apiKey: number
      apiVersion: number
      apiName: string
      encode: () => Promise<{ buf: Buffer; buffer: Buffer }>
    }
    response: {
      decode: (payload: Buffer) => Promise<{ payload: Buffer; clientSideThrottleTime?: number }>
      parse: (decoded: { payload: Buffer }) => Promise<T>
    }
    logResponseError?: boolean
  }

  export default class Connection {
    constructor(options: {
      host: string
      port: number
      logger: KafkajsLogger
      socketFactory: (options: { host: string; port: number; ssl?: object; onConnect: () => void }) => Socket
      requestTimeout: number
      connectionTimeout: number
      enforceRequestTimeout: boolean
      clientId: string
      ssl?: object
      sasl?: { mechanism: string; username: string; password: string }
    })
    socket?: Socket
    connect(): Promise<true>
    isConnected(): boolean
    authenticate(): Promise<void>
    setVersions(versions: Record<number, { minVersion: number; maxVersion: number }>): void
    setSupportAuthenticationProtocol(isSupported: boolean): void
    send<T>(request: KafkajsRequest<T>): Promise<T>
    processData(data: Uint8Array): void
    requestQueue: { fulfillRequest: (answer: { size: number; correlationId: number; payload: Buffer }) => void }
    rejectRequests(error: Error): void
  }
}

declare module 'kafkajs/src/network/requestQueue/index.js' {
  export default class RequestQueue {
    throttledUntil: number
    throttleCheckTimeoutId: NodeJS.Timeout | null
    pending: unknown[]
    checkPendingRequests(): void
    scheduleCheckPendingRequests(): void
  }
}
