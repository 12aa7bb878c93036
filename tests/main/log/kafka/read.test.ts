// Reading partitions whose brokers do not do what they should; how it goes where they do is in the live tests.
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Cluster } from '../../../../src/main/log/kafka/cluster.ts'
import type { Metadata } from '../../../../src/main/log/kafka/metadata-request.ts'
import { readTopics } from '../../../../src/main/log/kafka/read.ts'

/** Knows one topic; nobody can be connected to. */
function clusterOf(metadata: () => Metadata): Cluster {
  const refuse = () => Promise.reject(new Error('Nothing is to be sent.'))
  const closing = new AbortController()
  return {
    access: { clientId: 'test', ssl: false, answerMs: 1000 },
    signal: closing.signal,
    say: () => {},
    address: () => '127.0.0.1:1',
    link: refuse,
    anyLink: refuse,
    send: refuse,
    metadata: () => Promise.resolve(metadata()),
    topic: refuse,
    close: () => closing.abort(),
  }
}

describe('a partition that nobody leads', () => {
  it('is asked about less and less often', async () => {
    const times: number[] = []
    const partitions = [{ code: 5, partition: 0, leader: -1 }]
    const topics = [{ code: 0, name: 't', id: 'id', isInternal: false, partitions }]
    const cluster = clusterOf(() => {
      times.push(performance.now())
      return { brokers: new Map(), cluster: 'c', controller: 1, topics }
    })
    const abort = new AbortController()
    onTestFinished(() => abort.abort())
    const troubles: (string | undefined)[] = []
    const reading = readTopics(cluster, {
      topics: ['t'],
      from: () => 'earliest',
      signal: abort.signal,
      onTrouble: trouble => troubles.push(trouble?.message),
    })
    const taking = reading[Symbol.asyncIterator]().next()
    await expect.poll(() => times.length, { timeout: 20_000 }).toBe(6)
    const waits = times.slice(1).map((time, i) => time - times[i])
    expect(waits[4]).toBeGreaterThan(700)
    expect(waits[0]).toBeLessThan(waits[4])
    expect(troubles[0]).toContain('has no leader just now')
    abort.abort()
    expect(await taking).toEqual({ done: true, value: undefined })
  })
})
