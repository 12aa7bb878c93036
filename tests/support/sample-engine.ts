// An engine process of the sample contract, with ways to die: a test instrument.
import { parentPort } from '../../src/main/host/ports.ts'
import { serveEngine } from '../../src/main/host/serve-engine.ts'
import { newWitness, sample, sampleHandlers } from './sample.ts'

export interface EngineOptions {
  closeMs: number
  failStart?: boolean
  dieOnClose?: boolean
}

// As in the product: a terminal's Ctrl-C reaches every process, but only main acts on it.
process.on('SIGINT', () => {})

serveEngine(parentPort(), sample, async options => {
  const { closeMs, failStart, dieOnClose } = options as EngineOptions
  if (failStart) throw new Error('cannot start')
  return {
    handlers: sampleHandlers(newWitness()),
    metrics: () => Promise.resolve([{ name: 'sample' }]),
    close: async () => {
      if (dieOnClose) process.exit(9)
      await new Promise(resolve => setTimeout(resolve, closeMs))
      return closeMs > 0 ? ['slow flush'] : []
    },
  }
})
