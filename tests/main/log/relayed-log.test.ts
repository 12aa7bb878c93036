// The log of another process: the same messages at the same offsets, and a plain end when that process dies.
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { MessageChannel } from 'node:worker_threads'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { connectClient } from '../../../src/contract/client.ts'
import { forkEngine } from '../../../src/main/host/fork.ts'
import { messagePort } from '../../../src/main/host/ports.ts'
import { relayTo } from '../../../src/main/host/relay.ts'
import { supervise } from '../../../src/main/host/supervise.ts'
import { createEmbeddedLog } from '../../../src/main/log/embedded.ts'
import type { MessageLog, ReadOptions } from '../../../src/main/log/message-log.ts'
import type { LogBatch } from '../../../src/main/market/log-batch.ts'
import { packBatches, unpackBatches } from '../../../src/main/log/pack-batches.ts'
import { logContract } from '../../../src/main/log/relay-contract.ts'
import { relayLogHandlers } from '../../../src/main/log/relay-handlers.ts'
import { relayedLog } from '../../../src/main/log/relayed-log.ts'
import { createDispatch } from '../../../src/main/wire/dispatch.ts'
import { servePort } from '../../../src/main/wire/serve-port.ts'
import { messagesOf, produced, readAll } from '../../support/log-messages.ts'
import { readerContract } from '../../support/log-reader-contract.ts'
import { makeTempFolder } from '../../support/temp-folder.ts'

const TOPIC = 'market.equities.trades.asx'

/** A log, and the same log across a port. */
async function openBoth(
  partitions = 4,
): Promise<{ near: MessageLog; far: MessageLog; messages: () => number; cut: () => void }> {
  const near = createEmbeddedLog({ maxBytes: 64e6 })
  await near.createTopics([{ name: TOPIC, partitions }])
  const { port1, port2 } = new MessageChannel()
  servePort(messagePort(port1), createDispatch(logContract, relayLogHandlers(near)), 'port')
  let messages = 0
  port2.on('message', ({ t }: { t: string }) => (messages += t === 'next' ? 1 : 0))
  const client = connectClient(logContract, messagePort(port2))
  const far = relayedLog(() => Promise.resolve(client))
  onTestFinished(async () => {
    port1.close()
    await far.close()
    await near.close()
  })
  return { near, far, messages: () => messages, cut: () => port1.close() }
}

function reading(log: MessageLog, options: Partial<ReadOptions> = {}): AsyncIterator<LogBatch> {
  const { signal } = new AbortController()
  return log.read({ topics: [TOPIC], from: () => 'earliest', signal, ...options })[Symbol.asyncIterator]()
}

async function nextOf(reader: AsyncIterator<LogBatch>): Promise<LogBatch> {
  const result = await reader.next()
  if (result.done) throw new Error('the reading has ended')
  return result.value
}

describe('a relayed log', () => {
  it('gives what the log gives: messages, keys, tombstones, times, offsets, ranges and ends', async () => {
    const { near, far } = await openBoth()
    const texts = Array.from({ length: 500 }, (_, i) => [`key ${i % 7}`, i % 50 === 0 ? null : `text ${i}`] as const)
    await far.append(
      TOPIC,
      produced(
        texts,
        texts.map((_, i) => 1000 + i),
      ),
    )
    expect(await readAll(far, TOPIC)).toEqual(await readAll(near, TOPIC))
    expect(await readAll(far, TOPIC)).toHaveLength(500)
    expect(await far.ranges(TOPIC)).toEqual(await near.ranges(TOPIC))
    expect(await far.offsetsAt(TOPIC, 1250)).toEqual(await near.offsetsAt(TOPIC, 1250))
    expect(await far.topics()).toEqual(await near.topics())
    expect(await far.cluster()).toBe(await near.cluster())
    await far.noteProgress('group', TOPIC, { 0: 1 })
  })

  it('tells its reader that the log is there, also when nothing comes in', async () => {
    const { far } = await openBoth()
    const ending = new AbortController()
    const told: (Error | undefined)[] = []
    const reader = reading(far, { signal: ending.signal, onTrouble: trouble => told.push(trouble) })
    const next = reader.next()
    await vi.waitFor(() => expect(told).toEqual([undefined]))
    ending.abort()
    await next
  })

  it('starts each partition where its reader says', async () => {
    const { near, far } = await openBoth(3)
    await near.append(TOPIC, produced(Array.from({ length: 300 }, (_, i) => [`key ${i % 20}`, `${i}`] as const)))
    const ranges = await near.ranges(TOPIC)
    const starts = ranges.map(({ latest }) => Math.floor(latest / 2))
    const expected = (await readAll(near, TOPIC)).filter(({ partition, offset }) => offset >= starts[partition])
    const reader = reading(far, { from: (_, partition) => starts[partition] })
    const found = []
    while (found.length < expected.length) found.push(...messagesOf(await nextOf(reader)))
    found.sort((a, b) => a.partition - b.partition || a.offset - b.offset)
    expect(found).toEqual(expected)
    await reader.return?.()
  })

  it('creates topics, and refuses as the log does', async () => {
    const { near, far } = await openBoth()
    await far.createTopics([{ name: 'other', partitions: 2 }])
    expect(await near.topics()).toContainEqual({ name: 'other', partitions: 2, epoch: '0' })
    await expect(far.createTopics([{ name: 'other', partitions: 3 }])).rejects.toMatchObject({ code: 'CONFLICT' })
    await expect(far.ranges('none')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(reading(far, { topics: ['none'] }).next()).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(reading(far, { from: () => 17 }).next()).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' })
  })

  it('lets many small batches cross as a few messages', async () => {
    const { near, far, messages } = await openBoth(30)
    const reader = reading(far, { from: () => 'latest' })
    const first = nextOf(reader)
    await sleep(20)
    let sent = 0
    for (let i = 0; i < 40; i++) {
      await near.append(TOPIC, produced(Array.from({ length: 100 }, (_, k) => [`key ${k}`, `${i}`] as const)))
      sent += 100
      await sleep(1)
    }
    let [batches, got] = [1, (await first).count]
    while (got < sent) {
      got += (await nextOf(reader)).count
      batches++
    }
    expect(got).toBe(sent)
    expect(batches).toBeGreaterThan(200)
    expect(messages()).toBeLessThan(batches / 10)
    await reader.return?.()
  })

  it('takes no more from the log than its reader can hold', async () => {
    const { near, far, messages } = await openBoth(1)
    const text = 'x'.repeat(1000)
    for (let i = 0; i < 50; i++)
      await near.append(TOPIC, produced(Array.from({ length: 100 }, () => ['key', text] as const)))
    const reader = reading(far, { maxBytesAhead: 128 * 1024 })
    await reader.next()
    await sleep(100)
    const ahead = messages()
    expect(ahead).toBeLessThanOrEqual(5)
    await reader.return?.()
  })

  it('ends when its reader leaves or aborts, and when it is closed, without an error', async () => {
    const { near, far } = await openBoth()
    const abort = new AbortController()
    const waiting = reading(far, { from: () => 'latest', signal: abort.signal }).next()
    setTimeout(() => abort.abort(), 30)
    expect(await waiting).toEqual({ value: undefined, done: true })
    await near.append(TOPIC, produced([['key', 'text']]))
    const left = reading(far)
    await left.next()
    expect((await left.return?.())?.done).toBe(true)
    const closed = reading(far, { from: () => 'latest' }).next()
    setTimeout(() => void far.close(), 30)
    expect((await closed).done).toBe(true)
  })

  it('fails UNAVAILABLE, to be tried again, when the other process is gone or has closed the log', async () => {
    const { far, cut } = await openBoth()
    const waiting = reading(far, { from: () => 'latest' }).next()
    setTimeout(cut, 30)
    await expect(waiting).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true })
    const other = await openBoth()
    const reader = reading(other.far, { from: () => 'latest' }).next()
    setTimeout(() => void other.near.close(), 30)
    await expect(reader).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true })
  })
})

it('packs any batches and unpacks the same', async () => {
  const message = fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.option(fc.string({ maxLength: 20 })))
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(message, { maxLength: 8 }), { maxLength: 8 }), async appends => {
      const log = createEmbeddedLog({ maxBytes: 1e6 })
      await log.createTopics([{ name: TOPIC, partitions: 2 }])
      const abort = new AbortController()
      const reader = reading(log, { signal: abort.signal })
      const batches = []
      for (const messages of appends) {
        await log.append(TOPIC, produced(messages))
        if (messages.length > 0) batches.push(await nextOf(reader))
      }
      abort.abort()
      const back = unpackBatches(packBatches(batches))
      expect(back.flatMap(messagesOf)).toEqual(batches.flatMap(messagesOf))
      const heads = (of: typeof back) => of.map(({ topic, nextOffset, latest }) => ({ topic, nextOffset, latest }))
      expect(heads(back)).toEqual(heads(batches))
      await log.close()
    }),
  )
})

describe('across processes, main between them', () => {
  function openProcesses() {
    const folder = makeTempFolder()
    const entry = (name: string) => join(import.meta.dirname, '../../support', name)
    const live = supervise({
      name: 'live',
      contract: logContract,
      start: () => forkEngine(entry('log-engine.ts'), {}, ['--import', 'tsx']),
      options: { folder },
    })
    const writer = supervise({
      name: 'writer',
      contract: readerContract,
      start: () => forkEngine(entry('log-reader-engine.ts'), {}, ['--import', 'tsx']),
      options: {},
      offers: createDispatch(logContract, relayTo(logContract, live)),
    })
    onTestFinished(async () => {
      await writer.close(AbortSignal.timeout(3_000))
      await live.close(AbortSignal.timeout(3_000))
    })
    return { live, writer }
  }

  it('a reader goes on from where it is when the process with the log dies, and misses and repeats nothing', async () => {
    const { live, writer } = openProcesses()
    const log = relayedLog(() => live.client())
    await log.createTopics([{ name: TOPIC, partitions: 3 }])
    const seen: string[] = []
    let failures = 0
    const abort = new AbortController()
    const client = await writer.client()
    const following = (async () => {
      for await (const texts of client['reader.follow']({ topic: TOPIC }, { signal: abort.signal }))
        for (const text of texts) {
          if (text.startsWith('(')) failures++
          else seen.push(text)
        }
    })().catch(() => {})
    const sent: string[] = []
    for (let i = 0; i < 60; i++) {
      if (i === 30) {
        process.kill((await (await live.client())['engine.vitals']({})).pid, 'SIGKILL')
        await expect.poll(() => live.restarts()).toBe(1)
      }
      const texts = Array.from({ length: 10 }, (_, k) => [`key ${k}`, `${i}.${k}`] as const)
      // What was not taken is sent again.
      while (
        !(await log.append(TOPIC, produced(texts)).then(
          () => true,
          () => sleep(50, false),
        ))
      );
      sent.push(...texts.map(([, text]) => text))
      await sleep(2)
    }
    await expect.poll(() => seen.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(sent.length)
    abort.abort()
    await following
    expect(live.restarts()).toBe(1)
    expect(failures).toBeGreaterThan(0)
    expect(seen.sort()).toEqual(sent.sort())
  }, 30_000)
})
