// Entry of the process that holds the live half: what main starts for heavy work, under Node or Electron.
import { parentPort } from '../host/ports.ts'
import { serveEngine } from '../host/serve-engine.ts'
import { liveContract, startLive, type LiveOptions } from './live.ts'

// Ctrl-C in a terminal reaches every process of the group; only main acts on it, and closes its engines in order.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})

serveEngine(parentPort(), liveContract, options => startLive(options as LiveOptions))
