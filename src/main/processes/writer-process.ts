// Entry of the process that writes: what the log has goes into the tables, beside everything that must stay responsive.
import { parentPort } from '../host/ports.ts'
import { serveEngine } from '../host/serve-engine.ts'
import { logContract } from '../log/relay-contract.ts'
import { relayedLog } from '../log/relayed-log.ts'
import { writerNeeds } from './writer-needs.ts'
import { startWriterEngine, writerContract, type WriterEngineOptions } from './writer.ts'

// Ctrl-C in a terminal reaches every process of the group; only main acts on it, and closes its engines in order.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})

serveEngine(
  parentPort(),
  writerContract,
  (options, main) =>
    startWriterEngine(options as WriterEngineOptions, () => relayedLog(() => Promise.resolve(main)), {
      refill: gap => main['gaps.refill'](gap),
      committed: now => main['tail.committed'](now),
    }),
  { ...logContract, ...writerNeeds },
)
