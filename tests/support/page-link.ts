// The page's connection without a browser: the contract from synthetic rows over a real MessageChannel, which can be cut.
import { MessageChannel } from 'node:worker_threads'
import { onTestFinished } from 'vitest'
import type { Handlers } from '../../src/contract/capability.ts'
import { contract, type K2 } from '../../src/contract/index.ts'
import type { Port } from '../../src/contract/messages.ts'
import { messagePort } from '../../src/main/host/ports.ts'
import { createDispatch } from '../../src/main/wire/dispatch.ts'
import { servePort } from '../../src/main/wire/serve-port.ts'
import { createLink, type Link, type LinkTimes } from '../../src/renderer/stores/link.ts'
import { pageHandlers, type PageLoad } from './page-handlers.ts'
import { createSyntheticMarket } from './synthetic-market.ts'

export interface TestLink {
  link: Link
  load: PageLoad
  /** Adds trades, and as many quotes, and wakes who follows. */
  trade: (count: number) => void
  /** Ends the present connection, as a server that goes away does. */
  cut: () => void
  /** How often a connection was asked for. */
  opened: () => number
  isRefusing: boolean
}

const TIMES: LinkTimes = { answerMs: 300, checkEveryMs: 50, backoffMs: [10, 20] }

export interface TestLinkOptions extends Partial<LinkTimes> {
  isRefusing?: boolean
  /** Other answers than those of synthetic rows. */
  answers?: Partial<Handlers<K2>>
}

export function openTestLink({ isRefusing = false, answers, ...times }: TestLinkOptions = {}): TestLink {
  let waiting: (() => void)[] = []
  const load: PageLoad = {
    market: createSyntheticMarket(7),
    epoch: 1,
    isRunning: true,
    tradesPerSecond: 100,
    isDemo: true,
    answerAfterMs: 0,
    partialBecause: null,
    nextTick: () => new Promise(resolve => waiting.push(resolve)),
  }
  const wake = () => {
    const resolves = waiting
    waiting = []
    for (const resolve of resolves) resolve()
  }
  const dispatch = createDispatch(contract, { ...pageHandlers(load, Date.now()), ...answers }, { checkAnswers: true })
  let served: Port | undefined
  let opened = 0

  async function open(): Promise<Port> {
    opened++
    if (test.isRefusing) throw new Error('K2 does not answer.')
    const { port1, port2 } = new MessageChannel()
    served = messagePort(port1)
    servePort(served, dispatch, 'port')
    return messagePort(port2)
  }
  const test: TestLink = {
    link: undefined as never,
    load,
    trade(count) {
      load.market.advance((count / load.tradesPerSecond) * 1000, load.tradesPerSecond)
      wake()
    },
    cut: () => served?.close(),
    opened: () => opened,
    isRefusing,
  }
  test.link = createLink(open, { ...TIMES, ...times })
  onTestFinished(() => {
    test.link.close()
    served?.close()
    wake()
  })
  return test
}

/** Waits until a store, or anything else, says so. */
export async function until(condition: () => boolean, withinMs = 2000): Promise<void> {
  const started = performance.now()
  while (!condition()) {
    if (performance.now() - started > withinMs) throw new Error('It did not come about in time.')
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}
