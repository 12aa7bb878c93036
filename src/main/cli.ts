// The command line: `k2 …`. Loads no engine before a command needs one, so that `k2 --help` is quick.
import { Command, CommanderError } from 'commander'
import { version } from '../../package.json'
import { contract } from '../contract/index.ts'
import { Failure } from '../contract/failure.ts'
import { addCapabilities } from './wire/cli/command-line.ts'
import { addServing } from './commands/serving.ts'

export const EXIT = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const

export async function main(words: string[]): Promise<void> {
  const program = commandLine()
  try {
    await program.parseAsync(words, { from: 'user' })
  } catch (error) {
    process.exitCode = report(error, program.opts<{ verbose?: boolean }>().verbose ?? false)
  }
}

function commandLine(): Command {
  const program = new Command('k2')
    .description('K2 Workstation: market data, live and past, in one place.')
    .version(version, '-V, --version', 'print the version')
    .option('--profile <folder>', 'settings, keys, logs (K2_PROFILE)')
    .option('--warehouse <place>', 'folder or s3://bucket/prefix (K2_WAREHOUSE)')
    .option('--connect <url>', 'use the K2 that serves at this address')
    .option('--verbose', 'say the cause of an error too')
    .configureOutput({ outputError: (text, write) => write(`k2: ${oneLine(text)} See --help.\n`) })
    .showSuggestionAfterError()
    .exitOverride()
  addServing(program)
  addCapabilities(program, contract, async request => {
    const { answerRequest } = await import('./commands/answer.ts')
    await answerRequest(request, program.opts())
  })
  return program
}

/** Commander says an error and its suggestion on two, without full stops. */
function oneLine(text: string): string {
  const said = text
    .replace(/^error: /, '')
    .trim()
    .replace(/\n\((.*)\)$/, '. $1')
    .replaceAll('\n', ' ')
  return /[.?!]$/.test(said) ? said : `${said}.`
}

/** One line: what happened and what to do; the cause with --verbose. */
function report(error: unknown, verbose: boolean): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage
  const isFailure = error instanceof Failure
  const message = isFailure ? error.message : `Something went wrong in K2: ${String(error)}`
  process.stderr.write(`k2: ${message.replaceAll('\n', '\n    ')}\n`)
  if (verbose) process.stderr.write(`${error instanceof Error ? (error.stack ?? '') : ''}\n`)
  for (let cause = (error as Error).cause; verbose && cause instanceof Error; cause = cause.cause) {
    process.stderr.write(`caused by ${cause.stack ?? cause.message}\n`)
  }
  return isFailure && error.code === 'INVALID_INPUT' ? EXIT.usage : EXIT.failed
}
