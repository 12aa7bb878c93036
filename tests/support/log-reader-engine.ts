// An engine process that reads the log of another process through main: a test instrument.
import { Failure } from '../../src/contract/failure.ts'
import { logContract } from '../../src/main/log/relay-contract.ts'
import { relayedLog } from '../../src/main/log/relayed-log.ts'
import { parentPort } from '../../src/main/host/ports.ts'
import { serveEngine } from '../../src/main/host/serve-engine.ts'
import { messagesOf } from './log-messages.ts'
import { readerContract } from './log-reader-contract.ts'

serveEngine(
  parentPort(),
  readerContract,
  (_options, main) => {
    const log = relayedLog(() => Promise.resolve(main))
    return Promise.resolve({
      handlers: {
        async *'reader.follow'({ topic }, { signal }) {
          const next = new Map<number, number>()
          while (!signal.aborted) {
            try {
              for await (const batch of log.read({ topics: [topic], from: (_, p) => next.get(p) ?? 0, signal })) {
                next.set(batch.partition, batch.nextOffset)
                yield messagesOf(batch).map(({ text }) => text ?? '')
              }
            } catch (error) {
              if (!(error instanceof Failure && error.retryable)) throw error
              yield [`(${error.code})`]
            }
          }
        },
        async 'reader.count'({ topic, count }, { signal }) {
          const cpu = process.cpuUsage()
          const started = performance.now()
          let messages = 0
          for await (const batch of log.read({ topics: [topic], from: () => 'earliest', signal }))
            if ((messages += batch.count) >= count) break
          const { user, system } = process.cpuUsage(cpu)
          return { messages, cpuMs: (user + system) / 1000, elapsedMs: performance.now() - started }
        },
      },
      metrics: () => Promise.resolve([]),
      close: () => Promise.resolve([]),
    })
  },
  logContract,
)
