// What serve, app and demo do: start, say where, stay until a signal, close in order.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { inTime } from '../base/in-time.ts'
import { Failure } from '../../contract/failure.ts'
import { quitFlow } from '../base/quit-flow.ts'
import { loadConfig } from '../config/load-config.ts'
import { findElectron } from '../find-electron.ts'
import type { Serving } from '../serve.ts'
import type { ServeFlags } from './serving.ts'

function demoInput({ rate, speed, seed }: ServeFlags) {
  return { rate, speed, seed }
}

export async function serveUntilSignal(flags: ServeFlags): Promise<void> {
  const print = (line: string) => process.stdout.write(line + '\n')
  const startedAt = performance.now()
  const { rate, speed, seed } = flags
  if (!flags.demo && [rate, speed, seed].some(value => value !== undefined))
    throw new Failure('INVALID_INPUT', '--rate, --speed and --seed are of the simulated market: add --demo.')
  const config = loadConfig({ flags: { ...flags }, env: process.env })
  const { serve } = await import('../serve.ts')
  const starting = serve({ config, ui: flags.ui, demo: flags.demo ? demoInput(flags) : undefined })
  endOnSignal(starting, totals => print(`${totals} duration_seconds=${secondsSince(startedAt)}`))
  const serving = await starting
  if (serving.pageUrl) print(`Open   ${serving.pageUrl}   (this address works once)`)
  print(`REST   ${serving.url}/v1   described at ${serving.url}/docs`)
  if (flags.demo) print('The market is simulated.')
  print('Stop with Ctrl-C.')
}

/** From the very start on, so that a signal while engines come up is not lost. */
function endOnSignal(starting: Promise<Serving>, report: (totals: string) => void): void {
  let totals = 'messages=unknown rows=unknown commits=unknown'
  const quit = quitFlow({
    async close(signal) {
      const serving = await starting
      totals = await countAll(serving, signal)
      return serving.close(signal)
    },
    exit(code) {
      report(totals)
      process.exit(code)
    },
    say: line => process.stderr.write(line + '\n'),
  })
  process.on('SIGINT', () => quit(130))
  process.on('SIGTERM', () => quit(0))
}

function secondsSince(startedAt: number): string {
  return ((performance.now() - startedAt) / 1000).toFixed(1)
}

/**
 * Since the start: messages, and the rows and commits that came of them. Where K2 writes, messages are those that the writer
 * took, counted when it has ended, so that they are the ones that the rows came of. What engines do not say is unknown.
 */
async function countAll({ client, finishWriting }: Serving, signal: AbortSignal): Promise<string> {
  const orUnknown = <T>(asked: Promise<T>) => asked.catch(() => 'unknown' as const)
  const soon = <T>(ask: (signal: AbortSignal) => Promise<T>) => inTime(1_000, ask, signal)
  const viewed = orUnknown(soon(inner => client['stats.get']({}, { signal: inner })).then(messagesIn))
  const written = await finishWriting(signal).catch(() => ({ rows: 'unknown', commits: 'unknown' }))
  const status = await soon(inner => client['ingest.status']({}, { signal: inner })).catch(() => undefined)
  const isWriter = status !== undefined && status.state !== 'off' && status.messages > 0
  return `messages=${isWriter ? status.messages : await viewed} rows=${written.rows} commits=${written.commits}`
}

function messagesIn({ tail }: Awaited<ReturnType<Serving['client']['stats.get']>>): number {
  return tail.trades.total_messages + tail.quotes.total_messages
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
  const window = spawn(electron.path, [join(import.meta.dirname, '../..'), ...windowWords(flags)], { stdio: 'inherit' })
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => void window.kill(name))
  process.exitCode = await new Promise<number>((resolve, reject) => {
    window.once('exit', code => resolve(code ?? 1))
    window.once('error', cause => {
      reject(new Failure('UNAVAILABLE', `${electron.path} cannot be started: ${cause.message}.`, { cause }))
    })
  })
}

/** What was said to this command, for the window's own process. */
function windowWords({ profile, warehouse, connect, port, host, demo, rate, speed, seed }: ServeFlags): string[] {
  const given = { profile, warehouse, connect, port, host, rate, speed, seed }
  const words = Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`]))
  return demo ? [...words, '--demo'] : words
}

/** Exits with 1 when a check did not pass. */
export async function reportDemo(flags: ServeFlags): Promise<void> {
  const { checkDemo } = await import('./check-demo.ts')
  const passed = await checkDemo(demoInput(flags), line => process.stdout.write(line + '\n'))
  process.exitCode = passed ? 0 : 1
}

/** Exits with 1 when load did more than it may. */
export async function reportDegrading(flags: ServeFlags): Promise<void> {
  const { degradeDemo } = await import('./degrade-demo.ts')
  const passed = await degradeDemo(demoInput(flags), line => process.stdout.write(line + '\n'))
  process.exitCode = passed ? 0 : 1
}
