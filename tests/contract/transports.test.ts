// One suite for every door: what a caller sees is the same over a direct call, a port, a WebSocket and HTTP.
import { setTimeout as sleep } from 'node:timers/promises'
import { MessageChannel } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import type { Failure } from '../../src/contract/failure.ts'
import { isColumnBatch, rowsOf } from '../../src/contract/columns.ts'
import { INITIAL_CREDIT } from '../../src/contract/messages.ts'
import { messagePort } from '../../src/main/host/ports.ts'
import { createDispatch } from '../../src/main/wire/dispatch.ts'
import { servePort } from '../../src/main/wire/serve-port.ts'
import { newWitness, sample, sampleHandlers, tickBatch, tickRows } from '../support/sample.ts'
import { openSample, TRANSPORTS } from '../support/transports.ts'

async function until(condition: () => boolean, withinMs: number): Promise<number> {
  const started = performance.now()
  while (!condition() && performance.now() - started < withinMs) await sleep(5)
  return performance.now() - started
}

describe.each(TRANSPORTS)('over %s', transport => {
  it('answers a valid call, with defaults filled in', async () => {
    const { client } = await openSample(transport)
    const echo = await client['sample.echo']({ text: 'ÆØÅ & "quotes"', names: ['a', 'b'] })
    expect(echo).toEqual({ text: 'ÆØÅ & "quotes"', count: 3, loud: false, names: ['a', 'b'] })
  })

  it('keeps columns, 64-bit integers and nulls exact', async () => {
    const { client } = await openSample(transport)
    const { data } = await client['sample.ticks']({})
    if (transport === 'http') {
      expect(data).toEqual(tickRows)
    } else {
      expect(isColumnBatch(data)).toBe(true)
      expect(data).toEqual(tickBatch())
      expect(rowsOf(data)).toEqual(tickRows)
    }
  })

  it('names every field that is wrong and what is allowed', async () => {
    const { client } = await openSample(transport)
    const wrong = { text: '', count: 99, what: 'is this' } as never
    const failure = await client['sample.echo'](wrong).then(
      () => undefined,
      (error: Failure) => error,
    )
    expect(failure).toMatchObject({ name: 'Failure', code: 'INVALID_INPUT', retryable: false })
    expect(failure!.message).toMatch(/text.*count.*10/s)
    expect(failure!.message).toContain('what')
  })

  it('carries an expected failure whole', async () => {
    const { client } = await openSample(transport)
    await expect(client['sample.fail']({ what: 'a/b c' })).rejects.toMatchObject({
      name: 'Failure',
      code: 'NOT_FOUND',
      message: 'There is no a/b c.',
      details: { what: 'a/b c', known: ['a', 'b'] },
      retryable: false,
    })
  })

  it('hides a bug behind an id and tells the log', async () => {
    const { client, ends } = await openSample(transport)
    const failure = await client['sample.bug']({}).then(
      () => undefined,
      (error: Failure) => error,
    )
    expect(failure).toMatchObject({ code: 'INTERNAL', retryable: false })
    expect(JSON.stringify(failure) + failure!.message).not.toContain('secret internals')
    const bug = ends.find(end => end.name === 'sample.bug')!
    expect(String(bug.bug)).toContain('secret internals')
    expect(failure!.message).toContain(bug.context.correlationId)
  })

  it('hands on the correlation id of the caller', async () => {
    const { client, ends } = await openSample(transport)
    await client['sample.echo']({ text: 'x' }, { correlationId: 'mine-17' })
    expect(ends.map(end => end.context.correlationId)).toContain('mine-17')
  })

  it('stops a call whose caller gave up', async () => {
    const { client, witness } = await openSample(transport)
    const abort = new AbortController()
    const waiting = client['sample.wait']({}, { signal: abort.signal })
    await until(() => witness.running === 1, 1000)
    abort.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' })
    expect(await until(() => witness.aborted === 1, 1000)).toBeLessThan(1000)
  })

  it('streams every batch in order and ends', async () => {
    const { client, witness } = await openSample(transport)
    const seen: number[] = []
    for await (const { n } of client['sample.count']({ to: 50 })) seen.push(n)
    expect(seen).toEqual(Array.from({ length: 50 }, (_, n) => n))
    expect(await until(() => witness.cleaned === 1, 1000)).toBeLessThan(1000)
  })

  it('streams nothing where there is nothing', async () => {
    const { client } = await openSample(transport)
    for await (const batch of client['sample.count']({ to: 0 })) expect(batch).toBeUndefined()
  })

  it('goes on after a cursor', async () => {
    const { client } = await openSample(transport)
    const seen: number[] = []
    for await (const { n } of client['sample.count']({ to: 5, after: '2' })) seen.push(n)
    expect(seen).toEqual([3, 4])
  })

  it('refuses a stream with invalid input', async () => {
    const { client } = await openSample(transport)
    const stream = client['sample.count']({ to: -1 })[Symbol.asyncIterator]()
    await expect(stream.next()).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  })

  it('ends a stream with the failure of its producer, after the batches before it', async () => {
    const { client } = await openSample(transport)
    const seen: number[] = []
    const reading = (async () => {
      for await (const { n } of client['sample.count']({ to: 10, fail_at: 3 })) seen.push(n)
    })()
    await expect(reading).rejects.toMatchObject({ code: 'UNAVAILABLE', details: { n: 3 }, retryable: true })
    expect(seen).toEqual([0, 1, 2])
  })

  it("runs the producer's finally within a second when the reader leaves early", async () => {
    const { client, witness, ends } = await openSample(transport)
    for await (const { n } of client['sample.count']({ to: 1e9, pause_ms: 1 })) if (n === 3) break
    expect(await until(() => witness.running === 0, 1500)).toBeLessThan(1000)
    expect(witness.cleaned).toBe(1)
    await until(() => ends.length > 0, 1000)
    expect(ends).toMatchObject([{ name: 'sample.count', failure: { code: 'CANCELLED' } }])
  })

  it("runs the producer's finally within a second when the reader aborts between batches", async () => {
    const { client, witness } = await openSample(transport)
    const abort = new AbortController()
    const reading = (async () => {
      for await (const { n } of client['sample.count']({ to: 1e9, pause_ms: 200 }, { signal: abort.signal }))
        if (n === 0) setTimeout(() => abort.abort(), 20)
    })()
    await expect(reading).rejects.toMatchObject({ code: 'CANCELLED' })
    expect(await until(() => witness.running === 0, 1500)).toBeLessThan(1000)
  })

  it('pauses the producer while the reader is slow', async () => {
    const { client, witness } = await openSample(transport)
    // Over HTTP credit is the socket's own buffers, so batches are made as large as those.
    const wide = transport === 'http' ? 4_000_000 : 0
    const stream = client['sample.count']({ to: 1e9, wide })[Symbol.asyncIterator]()
    await stream.next()
    await sleep(300)
    const ahead = witness.produced
    expect(ahead).toBeLessThanOrEqual(INITIAL_CREDIT + 2)
    await sleep(200)
    expect(witness.produced).toBe(ahead)
    for (let taken = 0; taken < 8; taken++) expect(await stream.next()).toMatchObject({ value: { n: taken + 1 } })
    await stream.return?.()
    expect(await until(() => witness.running === 0, 1500)).toBeLessThan(1000)
  })

  it('keeps many requests apart', async () => {
    const { client } = await openSample(transport)
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, i) => client['sample.echo']({ text: `t${i}` }).then(({ text }) => text)),
    )
    expect(answers).toEqual(Array.from({ length: 60 }, (_, i) => `t${i}`))
  })
})

describe.each(TRANSPORTS.filter(transport => transport !== 'direct'))('over %s', transport => {
  it('ends what a vanished caller had open within a second', async () => {
    const { client, witness, vanish } = await openSample(transport)
    const stream = client['sample.count']({ to: 1e9, pause_ms: 1 })[Symbol.asyncIterator]()
    await stream.next()
    const waiting = client['sample.wait']({}).catch((error: Failure) => error.code)
    await until(() => witness.running === 2, 1000)
    const started = performance.now()
    vanish()
    await until(() => witness.running === 0, 1500)
    expect(performance.now() - started).toBeLessThan(1000)
    expect(await waiting).toBe('UNAVAILABLE')
    await expect(
      (async () => {
        for (;;) if ((await stream.next()).done) return
      })(),
    ).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })
})

it.each(['an id that is open already', 'credit without bound', 'no message at all'])(
  'lets a caller go that sends %s, and ends what it had open',
  async what => {
    const witness = newWitness()
    const { port1, port2 } = new MessageChannel()
    servePort(messagePort(port1), createDispatch(sample, sampleHandlers(witness)), 'port')
    port2.start()
    const closed = new Promise<void>(resolve => port2.once('close', resolve))
    const open = { t: 'open', id: 1, name: 'sample.count', input: { to: 1e9, pause_ms: 1 } }
    port2.postMessage(open)
    await until(() => witness.running === 1, 1000)
    const second = { 'an id that is open already': open, 'credit without bound': { t: 'credit', id: 1, n: Number.NaN } }
    port2.postMessage(second[what as keyof typeof second] ?? 'hello')
    await closed
    expect(await until(() => witness.running === 0, 1500)).toBeLessThan(1000)
    expect(witness.cleaned).toBe(1)
  },
)
