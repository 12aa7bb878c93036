// An engine process that holds an embedded log and lets others have it: a test instrument.
import { createEmbeddedLog } from '../../src/main/log/embedded.ts'
import { logContract } from '../../src/main/log/relay-contract.ts'
import { relayLogHandlers } from '../../src/main/log/relay-handlers.ts'
import { parentPort } from '../../src/main/host/ports.ts'
import { serveEngine } from '../../src/main/host/serve-engine.ts'

serveEngine(parentPort(), logContract, options => {
  const { folder, maxBytes = 64e6 } = options as { folder?: string; maxBytes?: number }
  const log = createEmbeddedLog({ maxBytes, folder })
  return Promise.resolve({
    handlers: relayLogHandlers(log),
    metrics: () => Promise.resolve([]),
    close: async () => {
      await log.close()
      return []
    },
  })
})
