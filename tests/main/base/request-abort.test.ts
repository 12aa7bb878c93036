import { setImmediate as turn } from 'node:timers/promises'
import { expect, it, vi } from 'vitest'
import { requestAbort } from '../../../src/main/base/request-abort.ts'

it('tells who asked for the signal before, and who asks after', () => {
  const early = requestAbort()
  const heard: unknown[] = []
  early.signal.addEventListener('abort', () => heard.push(early.signal.reason))
  early.abort('gone')
  early.abort('again')
  expect(heard).toEqual(['gone'])
  const late = requestAbort()
  late.abort('gone')
  late.abort('again')
  expect(late.signal.aborted).toBe(true)
  expect(late.signal.reason).toBe('gone')
})

it('gives one signal, on which any number of listeners may hang', async () => {
  const abort = requestAbort()
  expect(abort.signal).toBe(abort.signal)
  expect(abort.aborted).toBe(false)
  const warned = vi.fn()
  process.on('warning', warned)
  for (let i = 0; i < 12; i++) abort.signal.addEventListener('abort', () => {})
  await turn()
  process.off('warning', warned)
  expect(warned).not.toHaveBeenCalled()
})

it('ends without a reason as an AbortController does', () => {
  const abort = requestAbort()
  abort.abort()
  expect(() => abort.signal.throwIfAborted()).toThrow(expect.objectContaining({ name: 'AbortError' }) as Error)
})
