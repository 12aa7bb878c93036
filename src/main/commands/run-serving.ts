// What serve, app and demo do: start, say where, stay until a signal, close in order.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { Failure } from '../../contract/failure.ts'
import { closeOn, listenForSignals } from '../base/signals.ts'
import { loadConfig } from '../config/load-config.ts'
import { findElectron } from '../find-electron.ts'
import type { Serving } from '../serve.ts'
import type { ServeFlags } from './serving.ts'

function demoInput({ rate, speed, seed }: ServeFlags) {
  return { rate, speed, seed }
}

export async function serveUntilSignal(flags: ServeFlags): Promise<void> {
  const print = (line: string) => process.stdout.write(line + '\n')
  const warn = (line: string) => process.stderr.write(line + '\n')
  const signals = listenForSignals()
  const startedAt = performance.now()
  const config = loadConfig({ flags: { ...flags }, env: process.env })
  const { serve } = await import('../serve.ts')
  const serving = await serve({ config, ui: flags.ui, demo: flags.demo ? demoInput(flags) : undefined })
  if (serving.pageUrl) print(`Open   ${serving.pageUrl}   (this address works once)`)
  print(`REST   ${serving.url}/v1   described at ${serving.url}/docs`)
  if (flags.demo) print('The market is simulated.')
  print('Stop with Ctrl-C.')

  const name = await signals.first
  const messages = await countMessages(serving)
  const code = await closeOn(name, signals, serving.close, warn)
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  print(`messages=${messages ?? 'unknown'} rows=0 commits=0 duration_seconds=${seconds}`)
  // Whatever a library still holds open must not keep a stopped program alive.
  process.exit(code)
}

/** Taken in since the start; undefined when the engines do not say any more. */
async function countMessages({ client }: Serving): Promise<number | undefined> {
  try {
    const { tail } = await client['stats.get']({}, { signal: AbortSignal.timeout(1_000) })
    return tail.trades.total_messages + tail.quotes.total_messages
  } catch {
    return undefined
  }
}

export async function openApp(flags: ServeFlags): Promise<void> {
  const electron = findElectron()
  if ('missing' in electron) {
    if (flags.connect)
      throw new Failure(
        'UNAVAILABLE',
        `${electron.missing} Use the page address that the K2 at ${flags.connect} printed.`,
      )
    process.stdout.write(`${electron.missing}\n`)
    return serveUntilSignal(flags)
  }
  const words = process.argv.slice(2).filter(word => word !== 'app')
  const window = spawn(electron.path, [join(import.meta.dirname, '../..'), ...words], { stdio: 'inherit' })
  process.exitCode = await new Promise<number>(resolve => window.once('exit', code => resolve(code ?? 1)))
}

/** Exits with 1 when a check did not pass. */
export async function reportDemo(flags: ServeFlags): Promise<void> {
  const { checkDemo } = await import('./check-demo.ts')
  const passed = await checkDemo(demoInput(flags), line => process.stdout.write(line + '\n'))
  process.exitCode = passed ? 0 : 1
}
