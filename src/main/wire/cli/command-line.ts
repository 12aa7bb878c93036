// The command line made from the contract: a command a capability, a flag a field.
import type { Command } from 'commander'
import { Argument, Option } from 'commander'
import { z } from 'zod'
import type { Capability, Contract } from '../../../contract/capability.ts'
import { Failure } from '../../../contract/failure.ts'
import { fromText } from '../from-text.ts'
import { flagsOf, typedFields, type Flag } from './flags.ts'

/** How an answer can be printed. */
export const FORMATS = ['table', 'json', 'csv', 'ndjson', 'arrow', 'parquet'] as const
export type Format = (typeof FORMATS)[number]

export interface Request {
  name: string
  capability: Capability
  input: Record<string, unknown>
  format: Format
  /** File to write to instead of the standard output. */
  out?: string
}

type Entry = [name: string, capability: Capability]

/** Adds every capability that has a command; `run` gets the one that was typed with its fields. */
export function addCapabilities(program: Command, contract: Contract, run: (request: Request) => Promise<void>): void {
  const addOptions = optionsWhenNeeded(program)
  const byCommand = new Map<string, Entry[]>()
  for (const [name, capability] of Object.entries(contract)) {
    if (!capability.cli) continue
    const { command, also = [] } = capability.cli
    for (const words of [command, ...also]) {
      byCommand.set(words, [...(byCommand.get(words) ?? []), [name, capability]])
    }
  }
  for (const [words, entries] of byCommand) addCommand(program, words.split(' '), entries, { run, addOptions })
}

const groups: Readonly<Record<string, string>> = {
  query: 'Ask for market data',
  lake: 'The Iceberg tables: snapshots, going back, keeping them in order',
  ingest: 'Take data in: from files, from an exchange, from the log into the tables',
  'ingest dlq': 'Messages that could not be written: look at them, try them again',
  'ingest offsets': 'How far the log is in the tables, and where to go on',
  topics: 'The topics of market data in the log',
}

/**
 * Options are made of a command only when it is typed or its list is shown: making all of them takes 25 ms, a sixth of
 * what `k2 --help` may take.
 */
function optionsWhenNeeded(program: Command): (command: Command, add: () => void) => void {
  const waiting = new Map<Command, () => void>()
  const addNow = (command: Command) => {
    const add = waiting.get(command)
    waiting.delete(command)
    add?.()
    return ''
  }
  const watched = new Set<Command>()
  return (command, add) => {
    waiting.set(command, add)
    command.addHelpText('before', () => addNow(command))
    const group = command.parent ?? program
    if (watched.has(group)) return
    watched.add(group)
    group.hook('preSubcommand', (_, typed) => void addNow(typed))
    group.addHelpText('before', () => (group.commands.forEach(addNow), ''))
  }
}

interface Doing {
  run: (request: Request) => Promise<void>
  addOptions: (command: Command, add: () => void) => void
}

function addCommand(
  program: Command,
  words: readonly string[],
  entries: readonly Entry[],
  { run, addOptions }: Doing,
): void {
  const parent = words.slice(0, -1).reduce((above, word, i) => {
    const known = above.commands.find(command => command.name() === word)
    return known ?? above.command(word).description(groups[words.slice(0, i + 1).join(' ')] ?? '')
  }, program)
  const [, first] = entries[0]
  const command = parent
    .command(words[words.length - 1])
    .description(first.summary)
    .allowExcessArguments()
  for (const field of first.cli?.positional ?? []) command.addArgument(argumentOf(first, field))
  let flags: readonly Flag[] = []
  addOptions(command, () => {
    flags = flagsOf(first)
    for (const { option } of flags) command.addOption(option)
    const types = entries.flatMap(([, { cli }]) => cli?.type ?? [])
    if (types.length > 0) {
      command.addOption(new Option('--type <kind>', 'kind of data').choices(types).default(types[0]))
    }
    command.addOption(new Option('-o, --output <format>', 'how to print').choices([...FORMATS]))
    command.option('--out <file>', 'write to this file; its ending says how, unless --output does')
  })
  command.action(async (...args: unknown[]) => {
    refuseMoreWords(command)
    const values = command.opts<{ type?: string; output?: Format; out?: string }>()
    const [name, capability] = entries.find(([, { cli }]) => cli?.type === values.type) ?? entries[0]
    const input = inputOf(
      capability,
      flags,
      values,
      args.slice(0, first.cli?.positional?.length ?? 0) as (string | string[] | undefined)[],
    )
    const format = values.output ?? formatOf(values.out)
    await run({ name, capability, input, format, out: values.out })
  })
}

/** Commander only counts them; who types `k2 lake snapshots quotes` wants to know which flag takes that word. */
function refuseMoreWords(command: Command): void {
  const word = command.registeredArguments.some(({ variadic }) => variadic)
    ? undefined
    : command.args.at(command.registeredArguments.length)
  if (word === undefined) return
  const taking = command.options.find(({ argChoices }) => argChoices?.includes(word))
  const hint = taking ? `\n(Did you mean ${taking.long} ${word}?)` : ''
  command.error(`error: '${word}' is one word too many after ${pathOf(command)}${hint}`)
}

const pathOf = (command: Command): string => (command.parent ? `${pathOf(command.parent)} ` : '') + command.name()

/** A list takes the last words of the command, as many as there are. */
function argumentOf({ input }: Capability, field: string): Argument {
  const schema = (input instanceof z.ZodObject ? input.shape[field] : undefined) as z.ZodType | undefined
  const name = field.replaceAll('_', '-')
  if (schema instanceof z.ZodArray) return new Argument(`<${name}...>`, schema.description)
  const argument = new Argument(schema instanceof z.ZodOptional ? `[${name}]` : `<${name}>`, schema?.description)
  return schema instanceof z.ZodEnum ? argument.choices(schema.options.map(String)) : argument
}

/** A file's ending says how it is to be written. */
function formatOf(file = ''): Format {
  const ending = /\.([A-Za-z0-9]{1,10})$/.exec(file)?.[1].toLowerCase()
  const known = FORMATS.find(format => format === ending)
  if (known || ending === undefined || ending === 'txt') return known ?? 'table'
  throw new Failure('INVALID_INPUT', `What is written to ${file}? Say it with --output ${FORMATS.join(', ')}.`)
}

function inputOf(
  { cli, input }: Capability,
  flags: readonly Flag[],
  values: Record<string, unknown>,
  words: readonly (string | string[] | undefined)[],
): Record<string, unknown> {
  const typed = typedFields(flags, values)
  cli?.positional?.forEach((field, i) => words[i] !== undefined && (typed[field] = words[i]))
  const text = Object.fromEntries(Object.entries(typed).filter(([, value]) => typeof value === 'string'))
  return { ...cli?.defaults, ...typed, ...fromText(input, text as Record<string, string>) }
}
