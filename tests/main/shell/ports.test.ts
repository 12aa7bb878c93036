// Which ports main takes from a page, and how they behave once taken.
import { once } from 'node:events'
import { expect, it, onTestFinished } from 'vitest'
import { connectClient } from '../../../src/contract/client.ts'
import type { Port } from '../../../src/contract/messages.ts'
import { messagePort } from '../../../src/main/host/ports.ts'
import { ORIGIN } from '../../../src/main/shell/origin.ts'
import { acceptPorts } from '../../../src/main/shell/ports.ts'
import { createDispatch } from '../../../src/main/wire/dispatch.ts'
import { servePort } from '../../../src/main/wire/serve-port.ts'
import { mainPort, newIpc, type Sender } from '../../support/electron-doubles.ts'
import { newWitness, sample, sampleHandlers, tickBatch } from '../../support/sample.ts'

function newShell() {
  const { ipcMain, send } = newIpc()
  const taken: Port[] = []
  const witness = newWitness()
  const dispatch = createDispatch(sample, sampleHandlers(witness))
  acceptPorts(ipcMain, ORIGIN, port => {
    taken.push(port)
    servePort(port, dispatch, 'port')
  })
  onTestFinished(() => taken.forEach(port => port.close()))
  const openPage = (sender?: Sender) => {
    const { main, page } = mainPort()
    send([main], sender)
    return connectClient(sample, messagePort(page))
  }
  return { send, taken, witness, openPage }
}

it('serves the contract to the port of our page, columns as they are', async () => {
  const { openPage } = newShell()
  const client = openPage()
  expect((await client['sample.ticks']({})).data).toEqual(tickBatch())
})

it('keeps what the page said before anyone listened', async () => {
  const { ipcMain, send } = newIpc()
  const { main, page } = mainPort()
  const ports: Port[] = []
  acceptPorts(ipcMain, ORIGIN, port => ports.push(port))
  page.postMessage('early')
  send([main])
  await new Promise(resolve => setTimeout(resolve, 10))
  const heard = new Promise(resolve => ports[0].onMessage(resolve))
  expect(await heard).toBe('early')
})

it.each<[string, Sender]>([
  ['a page of another origin', { url: 'https://example.com/' }],
  ['a page that only looks like ours', { url: 'app://k2.example/' }],
  ['a frame within our page', { parent: {} }],
  ['a frame that is gone', { gone: true }],
])('closes the port of %s', async (_name, sender) => {
  const { send, taken } = newShell()
  const { main, page } = mainPort()
  send([main], sender)
  await once(page, 'close')
  expect(taken).toEqual([])
})

it('takes one port at a time: two or none in a message are refused', async () => {
  const { send, taken } = newShell()
  const [one, two] = [mainPort(), mainPort()]
  send([one.main, two.main])
  send([])
  await Promise.all([once(one.page, 'close'), once(two.page, 'close')])
  expect(taken).toEqual([])
})

it('ends what was open on a page’s port when the page opens another, and leaves other pages alone', async () => {
  const { openPage, witness } = newShell()
  const [first, other] = [openPage({ id: 1 }), openPage({ id: 2 })]
  const waiting = [first['sample.wait']({}), other['sample.wait']({})]
  for (const answer of waiting) answer.catch(() => {})
  await expect.poll(() => witness.running).toBe(2)
  const again = openPage({ id: 1 })
  await expect(waiting[0]).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  expect(witness).toMatchObject({ running: 1, aborted: 1 })
  expect(await again['sample.echo']({ text: 'here' })).toMatchObject({ text: 'here' })
})

it('ends what was open when the page is gone', async () => {
  const { send, witness, taken } = newShell()
  const { main, page } = mainPort()
  send([main])
  page.postMessage({ t: 'open', id: 1, name: 'sample.wait', input: {} })
  await expect.poll(() => witness.running).toBe(1)
  page.close()
  await expect.poll(() => witness.aborted).toBe(1)
  taken[0].post('to nobody')
  let told = 0
  taken[0].onClose(() => told++)
  taken[0].close()
  expect(told).toBe(1)
})
