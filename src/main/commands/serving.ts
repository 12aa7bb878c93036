// The commands that stay: serve, app, demo. What they do is loaded when one of them runs.
import { InvalidArgumentError, type Command } from 'commander'
import { demo, DEMO_RATE } from '../../contract/demo.ts'
import { problemOf } from '../wire/problem-of.ts'
import type { GlobalFlags } from './open-client.ts'

export interface ServeFlags extends GlobalFlags {
  port?: string
  host?: string
  ui: boolean
  demo?: boolean
  rate?: number
  speed?: number
  seed?: number
  check?: boolean
  degrade?: boolean
}

const actions = () => import('./run-serving.ts')

export function addServing(program: Command): void {
  const flags = (command: Command) => command.optsWithGlobals<ServeFlags>()

  withDemoFlags(withServeFlags(program.command('serve')))
    .description('Run everything but the window')
    .option('--demo', 'with the simulated market')
    .option('--no-ui', 'without the page for a browser')
    .action(async (_, command: Command) => (await actions()).serveUntilSignal(flags(command)))

  withDemoFlags(withServeFlags(program.command('app')))
    .description('Open the workstation: a window where there is Electron and a display, else an address for a browser')
    .option('--demo', 'with the simulated market')
    .action(async (_, command: Command) => (await actions()).openApp({ ...flags(command), ui: true }))

  withDemoFlags(withServeFlags(program.command('demo')))
    .description('Serve the simulated market, or check the whole path with it')
    .option('--check', 'run the whole path end to end within a minute, and report')
    .option('--degrade', 'show within a minute what load does: the levels, what is left out, and that nothing is lost')
    .action(async (_, command: Command) => {
      const given = { ...flags(command), ui: true, demo: true }
      const { reportDemo, reportDegrading, serveUntilSignal } = await actions()
      return (given.check ? reportDemo : given.degrade ? reportDegrading : serveUntilSignal)(given)
    })
}

function withServeFlags(command: Command): Command {
  return command
    .option('--port <n>', 'port of REST, WebSocket and page (K2_API_PORT, default 8000; 0 picks a free one)')
    .option('--host <address>', 'address to bind (K2_API_HOST, default 127.0.0.1)')
}

function withDemoFlags(command: Command): Command {
  return command
    .option('--rate <n>', `simulated messages a second, ${DEMO_RATE.min}–${DEMO_RATE.max}`, wanted('rate'))
    .option('--speed <n>', 'simulated seconds per second', wanted('speed'))
    .option('--seed <n>', 'the same seed gives the same market', wanted('seed'))
}

/** Refused before anything is started. */
function wanted(flag: 'rate' | 'speed' | 'seed'): (text: string) => number {
  const field = demo['demo.start'].input.shape[flag]
  return text => {
    const value = Number(text)
    if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('Give a number.')
    const { error } = field.safeParse(value, { error: problemOf })
    if (error) throw new InvalidArgumentError(`It ${error.issues[0].message}.`)
    return value
  }
}
