// Places in the log as people type them and programs send them: what is none is refused, and never taken for 0.
import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { contract } from '../../src/contract/index.ts'
import { inFlags } from '../../src/main/wire/cli/flags.ts'
import { addCapabilities, type Request } from '../../src/main/wire/cli/command-line.ts'
import { createDispatch } from '../../src/main/wire/dispatch.ts'
import type { Failure } from '../../src/contract/failure.ts'
import { plainHandlers } from '../support/plain-handlers.ts'

const TOPIC = 'market.equities.trades.asx'
const dispatch = createDispatch(contract, plainHandlers())
const ask = (name: string, input: unknown) =>
  dispatch(name, input, { signal: new AbortController().signal, correlationId: 'test', door: 'direct' })

/** What was typed, as the command line asks for it. */
async function typed(...words: string[]): Promise<Request> {
  const requests: Request[] = []
  const program = new Command()
  addCapabilities(program, contract, request => Promise.resolve(void requests.push(request)))
  await program.parseAsync(['ingest', ...words], { from: 'user' })
  return requests[0]
}

async function refusalOf(words: string[]): Promise<string> {
  const { name, input, capability } = await typed(...words)
  const asked = Promise.resolve(ask(name, input))
  return asked.then(
    () => 'taken',
    error => inFlags(error as Failure, capability).message,
  )
}

describe.each(['', ' ', '1e2', '0x10', '1.5', 'true'])('%j', text => {
  it.each([
    [['offsets', 'set', TOPIC, text, 'earliest'], 'partition'],
    [['dlq', 'show', TOPIC, '0', text], 'offset'],
    [['dlq', 'show', TOPIC, text, '0'], 'partition'],
    [['dlq', 'replay', '--topic', TOPIC, '--partition', text], '--partition'],
    [['dlq', 'replay', '--topic', TOPIC, '--partition', '0', '--offset', text], '--offset'],
  ])('is no place in %j', async (words, field) => {
    expect(await refusalOf(words)).toMatch(new RegExp(`^${field}: must be a (whole )?number\\.$`))
  })
})

it.each([[''], [' '], ['0'], [null], [[]], [false], [true], [1.5]])('%j is no place for programs', async value => {
  const place = { topic: TOPIC, partition: 0, offset: 0 }
  for (const [name, field] of [
    ['offsets.set', 'partition'],
    ['deadLetters.show', 'partition'],
    ['deadLetters.show', 'offset'],
    ['deadLetters.replay', 'partition'],
    ['deadLetters.replay', 'offset'],
  ]) {
    const given = name === 'offsets.set' ? { topic: TOPIC, to: 'earliest' } : place
    await expect(ask(name, { ...given, [field]: value })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringMatching(`^${name}: ${field}: must be a (whole )?number$`) as string,
    })
  }
})

describe('trying again asks for what a place is in', () => {
  const topic = '--topic: is required with a partition or an offset, which every topic has'
  const partition = '--partition: is required with an offset, which every partition has'

  it.each([
    [['--partition', '0'], `${topic}.`],
    [['--partition', '0', '--offset', '3'], `${topic}.`],
    [['--offset', '3'], `${topic}; ${partition}.`],
    [['--topic', TOPIC, '--offset', '3'], `${partition}.`],
    [[], 'taken'],
    [['--topic', TOPIC], 'taken'],
    [['--topic', TOPIC, '--partition', '0'], 'taken'],
    [['--topic', TOPIC, '--partition', '0', '--offset', '3'], 'taken'],
  ])('with %j', async (words, said) => {
    expect(await refusalOf(['dlq', 'replay', ...words])).toBe(said)
  })
})

it('takes places as they are typed', async () => {
  const set = await typed('offsets', 'set', TOPIC, '12', 'earliest')
  expect(set.input).toEqual({ topic: TOPIC, partition: 12, to: 'earliest' })
  const show = await typed('dlq', 'show', TOPIC, '0', '9007199254740991')
  expect(show.input).toEqual({ topic: TOPIC, partition: 0, offset: Number.MAX_SAFE_INTEGER })
  await expect(ask(set.name, set.input)).resolves.toMatchObject({ partition: 12 })
  await expect(ask(show.name, show.input)).resolves.toBeDefined()
})
