// The thin client's relay between a page's port and a K2 elsewhere, over a real WebSocket server.
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { MessageChannel } from 'node:worker_threads'
import { expect, it, onTestFinished } from 'vitest'
import { connectClient } from '../../../src/contract/client.ts'
import type { ToClient } from '../../../src/contract/messages.ts'
import { messagePort } from '../../../src/main/host/ports.ts'
import { relayTo, socketUrl, type RelayOptions } from '../../../src/main/shell/relay.ts'
import { createDispatch } from '../../../src/main/wire/dispatch.ts'
import { newWitness, sample, sampleHandlers, tickBatch } from '../../support/sample.ts'
import { serveSockets } from '../../support/socket-server.ts'

async function newServer(apiKey?: string) {
  const witness = newWitness()
  const server = await serveSockets(createDispatch(sample, sampleHandlers(witness)), { apiKey })
  onTestFinished(() => server.close())
  return { ...server, witness }
}

function openPage(url: string, options?: RelayOptions) {
  const { port1, port2 } = new MessageChannel()
  onTestFinished(() => port2.close())
  relayTo(url, options)(messagePort(port1))
  const closed = once(port2, 'close')
  return { client: connectClient(sample, messagePort(port2)), port: port2, closed }
}

/** Takes connections and says what it is told, at the level of bytes. */
async function newOddServer(answer: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('data', () => answer(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    sockets.forEach(socket => socket.destroy())
    await new Promise(resolve => server.close(resolve))
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

it('carries what was said before the connection stood, in order, with the key', async () => {
  const server = await newServer('secret')
  const { client } = openPage(`${server.url}/`, { apiKey: 'secret' })
  const answers = await Promise.all(['a', 'b', 'c'].map(text => client['sample.echo']({ text })))
  expect(answers.map(({ text }) => text)).toEqual(['a', 'b', 'c'])
  expect(server.asked).toEqual([{ path: '/v1/ws', apiKey: 'secret' }])
})

it('carries columns, streams and failures whole', async () => {
  const { client } = openPage((await newServer()).url)
  expect((await client['sample.ticks']({})).data).toEqual(tickBatch())
  const seen: number[] = []
  for await (const { n } of client['sample.count']({ to: 50 })) seen.push(n)
  expect(seen).toEqual(Array.from({ length: 50 }, (_, n) => n))
  await expect(client['sample.fail']({ what: 'x' })).rejects.toMatchObject({
    code: 'NOT_FOUND',
    details: { what: 'x', known: ['a', 'b'] },
  })
})

it('passes a frame on without the rest of the socket’s read buffer', async () => {
  const server = await newServer()
  const { port } = openPage(server.url)
  const sizes: number[] = []
  port.on('message', ({ value }: Extract<ToClient, { t: 'done' }>) => {
    const { data } = value as { data: ReturnType<typeof tickBatch> }
    sizes.push(data.columns.at.values.buffer.byteLength)
  })
  for (let id = 1; id <= 50; id++) port.postMessage({ t: 'open', id, name: 'sample.ticks', input: {} })
  await expect.poll(() => sizes.length).toBe(50)
  expect(Math.max(...sizes)).toBeLessThan(2_000)
})

it('closes the page’s port when the connection is lost, and the server hears when the page is gone', async () => {
  const server = await newServer()
  const first = openPage(server.url)
  const waiting = first.client['sample.wait']({})
  waiting.catch(() => {})
  await expect.poll(() => server.witness.running).toBe(1)
  server.cut()
  await first.closed
  await expect(waiting).rejects.toMatchObject({ code: 'UNAVAILABLE' })

  const second = openPage(server.url)
  second.client['sample.wait']({}).catch(() => {})
  await expect.poll(() => server.witness.running).toBe(1)
  second.port.close()
  await expect.poll(() => server.witness.running).toBe(0)
})

it('fails what was asked with the address and the reason when nothing answers there', async () => {
  const server = await newServer()
  await server.close()
  const { client, closed } = openPage(server.url)
  await expect(client['sample.echo']({ text: 'a' })).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringMatching(new RegExp(`${server.url} cannot be reached: .*ECONNREFUSED`)) as string,
  })
  await closed
})

it('says that the key is refused, and what to set', async () => {
  const server = await newServer('right')
  const { client, closed } = openPage(server.url, { apiKey: 'wrong' })
  await expect(client['sample.echo']({ text: 'a' })).rejects.toMatchObject({
    code: 'UNAUTHORIZED',
    message: expect.stringContaining('K2_API_KEY') as string,
  })
  await closed
})

it('says that what answers is no K2 server', async () => {
  const url = await newOddServer(socket => socket.end('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n'))
  await expect(openPage(url).client['sample.echo']({ text: 'a' })).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining('no K2 server (HTTP 404)') as string,
  })
})

it('gives up on a server that takes the connection and then says nothing', async () => {
  const server = await newServer()
  const silent = await newSilentProxy(server.url)
  const { client, closed } = openPage(silent.url, { heartbeatMs: 40 })
  await client['sample.echo']({ text: 'a' })
  silent.hush()
  await closed
})

it('keeps a bounded number of early messages', async () => {
  const url = await newOddServer(() => {})
  const { client, closed } = openPage(url)
  const answers = await Promise.allSettled(Array.from({ length: 1001 }, () => client['sample.echo']({ text: 'a' })))
  await closed
  expect(answers.filter(({ status }) => status === 'rejected')).toHaveLength(1001)
  expect((answers[0] as PromiseRejectedResult).reason).toMatchObject({ code: 'RATE_LIMITED' })
})

it('makes the socket’s address out of the server’s', () => {
  expect(socketUrl('http://127.0.0.1:8000')).toBe('ws://127.0.0.1:8000/v1/ws')
  expect(socketUrl('https://k2.example/desk/')).toBe('wss://k2.example/desk/v1/ws')
  for (const address of ['127.0.0.1:8000', 'ftp://k2', 'http://user:key@k2', 'http://k2/?key=1', ''])
    expect(() => socketUrl(address)).toThrow(/give the address of a k2 serve/)
})

/** Passes bytes both ways until told to hold them back, as a machine that sleeps does. */
async function newSilentProxy(target: string) {
  const { connect } = await import('node:net')
  const sockets: Socket[] = []
  const server = createServer(near => {
    const far = connect(Number(new URL(target).port), '127.0.0.1')
    for (const socket of [near, far]) socket.on('error', () => {})
    sockets.push(near, far)
    near.pipe(far)
    far.pipe(near)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    sockets.forEach(socket => socket.destroy())
    await new Promise(resolve => server.close(resolve))
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hush: () => sockets.forEach(socket => socket.unpipe().pause()),
  }
}
