// What `topics init` is asked for: done, or refused before anything is made, or told that it was left.
import { expect, it, onTestFinished } from 'vitest'
import type { z } from 'zod'
import { topics } from '../../../src/contract/topics.ts'
import { createEmbeddedLog } from '../../../src/main/log/embedded.ts'
import type { MessageLog } from '../../../src/main/log/message-log.ts'
import { topicsHandlers } from '../../../src/main/log/topics-handlers.ts'
import { inFlags } from '../../../src/main/wire/cli/flags.ts'
import { connectDirect } from '../../../src/main/wire/direct.ts'
import { createDispatch } from '../../../src/main/wire/dispatch.ts'
import type { Failure } from '../../../src/contract/failure.ts'

type Asked = z.input<(typeof topics)['topics.init']['input']>

/** A log in memory that says it is of this kind. */
function open(kind: MessageLog['kind'] = 'kafka') {
  const log: MessageLog = { ...createEmbeddedLog({ maxBytes: 1e6 }), kind }
  onTestFinished(() => log.close())
  const handlers = topicsHandlers({ log: () => Promise.resolve(log), topicNames: ['market.equities.trades.asx'] })
  const client = connectDirect(topics, createDispatch(topics, handlers, { checkAnswers: true }))
  return { log, init: (asked: Asked = {}) => client['topics.init'](asked) }
}

it.each(['0d', '0ms', '59s', '59999ms', '36501d', '99999999999999999999d'])(
  'refuses a retention of %s',
  async retention => {
    const { log, init } = open()
    const failure = await init({ retention }).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'INVALID_INPUT' })
    expect(inFlags(failure as Failure, topics['topics.init']).message).toBe('--retention: must be from 1m to 36500d.')
    expect(await log.topics()).toEqual([])
  },
)

it.each(['1m', '60s', '60000ms', '7d', '36500d'])('takes a retention of %s', async retention => {
  const made = await open().init({ retention })
  expect(made.map(({ state }) => state)).toEqual(['created', 'created', 'created'])
})

const said = (rows: Awaited<ReturnType<ReturnType<typeof open>['init']>>) =>
  rows.map(({ topic, why }) => [topic.split('.')[2], why])

it('says of topics that are there what was asked for and is not set', async () => {
  const { init } = open()
  const nothing = { trades: null, quotes: null, reference_data: null }
  expect(said(await init({ retention: '2d', replication: 2 }))).toEqual(Object.entries(nothing))
  expect(said(await init())).toEqual(Object.entries(nothing))
  const left = 'retention and replication not set: the topic was there'
  expect(said(await init({ retention: '3d', replication: 1 }))).toEqual([
    ['trades', left],
    ['quotes', left],
    ['reference_data', 'replication not set: the topic was there'], // it is compacted, and kept for ever
  ])
})

it('says it of new topics in a log that has no such settings', async () => {
  expect(said(await open('embedded').init({ retention: '2d' }))).toEqual([
    ['trades', "retention not set: K2's own log has none"],
    ['quotes', "retention not set: K2's own log has none"],
    ['reference_data', null],
  ])
})
