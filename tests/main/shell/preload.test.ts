// @vitest-environment happy-dom
// The preload in a page: which messages it forwards, and that it leaves nothing behind.
import { beforeAll, expect, it, vi } from 'vitest'

const postMessage = vi.hoisted(() => vi.fn<(channel: string, message: unknown, ports: unknown[]) => void>())
vi.mock('electron', () => ({ ipcRenderer: { postMessage } }))

const globals = new Set(Object.getOwnPropertyNames(window))
beforeAll(async () => {
  await import('../../../src/preload/index.ts')
})

const port = () => new MessageChannel().port1
const own = { source: window, origin: location.origin, data: 'k2:port' }

function forwards(fields: object): boolean {
  postMessage.mockClear()
  window.dispatchEvent(Object.assign(new Event('message'), { ports: [port()], ...own, ...fields }))
  return postMessage.mock.calls.length > 0
}

it('forwards a port that the page itself sends, and the next one when it reconnects', () => {
  const one = port()
  expect(forwards({ ports: [one] })).toBe(true)
  expect(postMessage.mock.calls[0]).toEqual(['k2:port', null, [one]])
  expect(forwards({})).toBe(true)
})

it.each([
  ['another window', { source: {} }],
  ['another origin', { origin: 'https://example.com' }],
  ['another message', { data: 'k2:other' }],
  ['a message with an object', { data: ['k2:port'] }],
  ['no port', { ports: [] }],
  ['two ports', { ports: [port(), port()] }],
])('forwards nothing of %s', (_name, fields) => {
  expect(forwards(fields)).toBe(false)
})

it('adds nothing to the page', () => {
  expect(Object.getOwnPropertyNames(window).filter(name => !globals.has(name))).toEqual([])
})
