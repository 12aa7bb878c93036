import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { contract } from '../../../../src/contract/index.ts'
import { Failure } from '../../../../src/contract/failure.ts'
import { addCapabilities } from '../../../../src/main/wire/cli/command-line.ts'
import { inFlags } from '../../../../src/main/wire/cli/flags.ts'
import { connectDirect } from '../../../../src/main/wire/direct.ts'
import { createDispatch } from '../../../../src/main/wire/dispatch.ts'
import { plainHandlers } from '../../../support/plain-handlers.ts'

async function refusalOf(name: keyof typeof contract, input: unknown): Promise<string> {
  const client = connectDirect(contract, createDispatch(contract, plainHandlers()))
  const asked = (client[name] as (input: unknown) => unknown)(input)
  const failure = await (
    contract[name].kind === 'call' ? (asked as Promise<unknown>) : (asked as AsyncGenerator).next()
  ).then(
    () => new Failure('INTERNAL', 'was let through'),
    (error: unknown) => error as Failure,
  )
  return inFlags(failure, contract[name]).message
}

it('refuses in the words that were typed', async () => {
  expect(await refusalOf('ingest.consume', { max_messages: 0 })).toBe('--max-messages: must be at least 1.')
  expect(await refusalOf('offsets.show', { topic: 'a b' })).toBe('topic: letters, digits, dot, dash and underscore.')
  expect(await refusalOf('trades.recent', { symbol: 'BHP' })).toBe('--exchange: is required.')
})

it('leaves what is no refusal of a field as it is', () => {
  const failure = new Failure('UNAVAILABLE', 'Kafka is away.')
  expect(inFlags(failure, contract['ingest.consume'])).toBe(failure)
})

it('says what every group of commands is for', () => {
  const program = new Command()
  addCapabilities(program, contract, () => Promise.resolve())
  const groups = (command: Command): Command[] =>
    command.commands.flatMap(below => (below.commands.length > 0 ? [below, ...groups(below)] : []))
  expect(groups(program).map(group => group.name())).toEqual(expect.arrayContaining(['topics', 'dlq', 'offsets']))
  for (const group of groups(program)) expect([group.name(), group.description()]).not.toContain('')
})

/** What is wrong with these words. */
async function usageOf(words: string[]): Promise<unknown> {
  const program = new Command('k2')
  addCapabilities(program, contract, () => Promise.resolve())
  for (const group of [program, ...program.commands, ...program.commands.flatMap(({ commands }) => commands)])
    group.exitOverride().configureOutput({ writeErr: () => {} })
  return program.parseAsync(words, { from: 'user' })
}

it('names what a place can be where that is a choice', async () => {
  await expect(usageOf(['ingest', 'stream', 'nyse'])).rejects.toThrow(
    /'nyse' is invalid.*source.*Allowed choices are binance/,
  )
})

it('names a word that has no place, and the flag that takes it', async () => {
  const says = (words: string[]) => expect(usageOf(words), words.join(' ')).rejects
  await says(['lake', 'snapshots', 'quotes']).toThrow(
    /'quotes' is one word too many after k2 lake snapshots\n\(Did you mean --table quotes\?\)$/,
  )
  await says(['lake', 'snapshots', 'q']).toThrow(/'q' is one word too many after k2 lake snapshots$/)
  await says(['query', 'sql', 'SELECT 1', 'b', 'c']).toThrow(/'b' is one word too many after k2 query sql$/)
  await expect(usageOf(['ingest', 'load', 'a.csv', 'b.csv'])).resolves.toBeDefined()
})

describe('makes the options of a command only when they are needed', () => {
  const optionsOf = (words: string[], way: 'typed' | 'helped') => {
    const program = new Command()
    addCapabilities(program, contract, () => Promise.resolve())
    const command = words.reduce((above, word) => above.commands.find(below => below.name() === word)!, program)
    expect(command.options).toEqual([])
    for (const each of [program, command.parent!, command])
      each.exitOverride().configureOutput({ writeOut: () => {}, writeErr: () => {} })
    const run = () => program.parse([...words, way === 'helped' ? '--help' : '--no-such-flag'], { from: 'user' })
    expect(run).toThrow(way === 'helped' ? '(outputHelp)' : "unknown option '--no-such-flag'")
    return command.options.map(({ long }) => long)
  }

  it('once it is typed', () => {
    expect(optionsOf(['query', 'trades'], 'typed')).toEqual(expect.arrayContaining(['--symbol', '--limit', '--output']))
  })

  it('for its own list', () => {
    const options = optionsOf(['query', 'trades'], 'helped')
    expect(options).toEqual(optionsOf(['query', 'trades'], 'typed'))
  })

  it('for the list of its group, which says which of them take options', () => {
    const program = new Command()
    addCapabilities(program, contract, () => Promise.resolve())
    let said = ''
    const group = program.commands.find(command => command.name() === 'query')!
    group.configureOutput({ writeOut: text => (said += text) }).outputHelp()
    expect(said).toMatch(/^ {2}trades \[options\]/m)
    expect(said).toMatch(/^ {2}summary \[options\] <symbol> <date>/m)
  })
})
