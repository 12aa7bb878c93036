// Entry of the process that holds the historical half: what main starts for heavy work, under Node or Electron.
import { parentPort } from '../host/ports.ts'
import { serveEngine } from '../host/serve-engine.ts'
import { historyContract, startHistory, type HistoryOptions } from './history.ts'
import { tailContract } from '../tail/relay-contract.ts'

// Ctrl-C in a terminal reaches every process of the group; only main acts on it, and closes its engines in order.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})

serveEngine(
  parentPort(),
  historyContract,
  (options, main) => startHistory(options as HistoryOptions, () => Promise.resolve(main)),
  tailContract,
)
