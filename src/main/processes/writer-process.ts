// Entry of the process that writes: what the log has goes into the tables, beside everything that must stay responsive.
import { setFlagsFromString } from 'node:v8'
import { parentPort } from '../host/ports.ts'
import { serveEngine } from '../host/serve-engine.ts'
import { logContract } from '../log/relay-contract.ts'
import { relayedLog } from '../log/relayed-log.ts'
import { writerNeeds } from './writer-needs.ts'
import { startWriterEngine, writerContract, type WriterEngineOptions } from './writer.ts'

// Ctrl-C in a terminal reaches every process of the group; only main acts on it, and closes its engines in order.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})

// Nearly all that is thrown away here are arrays outside of V8's heap; for every 30 MB of them it marks the heap, which is
// small. Nobody waits here while it is marked at once; in steps beside the writing it took a sixth of all
// processor time of a row (measured). Whether Electron lets a flag be set this late was not tried.
if (!process.versions.electron) setFlagsFromString('--no-incremental-marking')

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
