// What `topics init` is asked for: taken where it can be done, refused before anything is made where not.
import { expect, it, onTestFinished } from 'vitest'
import type { z } from 'zod'
import { topics } from '../../../src/contract/topics.ts'
import { createEmbeddedLog } from '../../../src/main/log/embedded.ts'
import { topicsHandlers } from '../../../src/main/log/topics-handlers.ts'
import { inFlags } from '../../../src/main/wire/cli/flags.ts'
import { connectDirect } from '../../../src/main/wire/direct.ts'
import { createDispatch } from '../../../src/main/wire/dispatch.ts'
import type { Failure } from '../../../src/contract/failure.ts'

type Asked = z.input<(typeof topics)['topics.init']['input']>

function open() {
  const log = createEmbeddedLog({ maxBytes: 1e6 })
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
