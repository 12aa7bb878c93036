// The commands that stay: serve, app, demo.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { InvalidArgumentError, type Command } from 'commander'
import { DEMO_RATE } from '../../contract/demo.ts'
import { findElectron } from '../find-electron.ts'
import { loadConfig } from '../config/load-config.ts'
import type { Serving } from '../serve.ts'
import type { GlobalFlags } from './open-client.ts'

interface ServeFlags extends GlobalFlags {
  port?: string
  host?: string
  ui: boolean
  demo?: boolean
  rate?: number
  speed?: number
  seed?: number
  check?: boolean
}

export function addServing(program: Command): void {
  const flags = (command: Command) => command.optsWithGlobals<ServeFlags>()

  withDemoFlags(withServeFlags(program.command('serve')))
    .description('Run everything but the window')
    .option('--demo', 'with the simulated market')
    .option('--no-ui', 'without the page for a browser')
    .action((_, command: Command) => serveUntilSignal(flags(command)))

  withDemoFlags(withServeFlags(program.command('app')))
    .description('Open the workstation: a window where there is Electron and a display, else an address for a browser')
    .option('--demo', 'with the simulated market')
    .action((_, command: Command) => openApp({ ...flags(command), ui: true }))

  withDemoFlags(withServeFlags(program.command('demo')))
    .description('Serve the simulated market, or check the whole path with it')
    .option('--check', 'run the whole path end to end within a minute, and report')
    .action(async (_, command: Command) => {
      const given = { ...flags(command), ui: true, demo: true }
      if (!given.check) return serveUntilSignal(given)
      const { checkDemo } = await import('./check-demo.ts')
      process.exitCode = (await checkDemo(demoInput(given), line => process.stdout.write(line + '\n'))) ? 0 : 1
    })
}

function withServeFlags(command: Command): Command {
  return command
    .option('--port <n>', 'port of REST, WebSocket and page (K2_API_PORT, default 8000; 0 picks a free one)')
    .option('--host <address>', 'address to bind (K2_API_HOST, default 127.0.0.1)')
}

function withDemoFlags(command: Command): Command {
  return command
    .option('--rate <n>', `simulated messages a second, ${DEMO_RATE.min}–${DEMO_RATE.max}`, toNumber)
    .option('--speed <n>', 'simulated seconds per second', toNumber)
    .option('--seed <n>', 'the same seed gives the same market', toNumber)
}

function toNumber(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('Give a number.')
  return value
}

function demoInput({ rate, speed, seed }: ServeFlags) {
  return { rate, speed, seed }
}

async function serveUntilSignal(flags: ServeFlags): Promise<void> {
  const [{ serve }, { untilSignal }, config] = await Promise.all([
    import('../serve.ts'),
    import('../base/signals.ts'),
    loadConfig({ flags: { ...flags }, env: process.env }),
  ])
  const startedAt = performance.now()
  const print = (line: string) => process.stdout.write(line + '\n')
  const serving = await serve({ config, ui: flags.ui, demo: flags.demo ? demoInput(flags) : undefined })
  if (serving.pageUrl) print(`Open   ${serving.pageUrl}   (this address works once; ask again with a restart)`)
  print(`REST   ${serving.url}/v1   described at ${serving.url}/docs`)
  if (flags.demo) print('The market is simulated.')
  print('Stop with Ctrl-C.')
  process.exitCode = await untilSignal({
    print: line => process.stderr.write(line + '\n'),
    close: async signal => {
      const messages = await countMessages(serving)
      const unfinished = await serving.close(signal)
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
      print(`messages=${messages ?? 'unknown'} rows=0 commits=0 duration_seconds=${seconds}`)
      return unfinished
    },
  })
  // Whatever a library still holds open must not keep a stopped program alive.
  process.exit()
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

async function openApp(flags: ServeFlags): Promise<void> {
  const electron = findElectron()
  if ('missing' in electron) {
    process.stdout.write(`${electron.missing}\n`)
    return serveUntilSignal(flags)
  }
  const words = process.argv.slice(2).filter(word => word !== 'app')
  const window = spawn(electron.path, [join(import.meta.dirname, 'index.cjs'), ...words], { stdio: 'inherit' })
  process.exitCode = await new Promise<number>(resolve => window.once('exit', code => resolve(code ?? 1)))
}
