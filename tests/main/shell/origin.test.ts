// Whose page is ours, in every spelling an attacker may try.
import { expect, it } from 'vitest'
import { isOwn, mayLoad, ORIGIN, rendererOrigin } from '../../../src/main/shell/origin.ts'

it.each(['app://k2/', 'app://k2/index.html?x#y', 'APP://k2/'])('counts %s as ours', url => {
  expect(isOwn(url, ORIGIN)).toBe(true)
})

it.each([
  'app://k2.evil/',
  'app://k2@evil/',
  'app://k2:1/',
  'https://k2/',
  'file:///k2',
  'about:blank',
  'data:,k2',
  '',
])('counts %j as foreign', url => {
  expect(isOwn(url, ORIGIN)).toBe(false)
})

it('takes the dev server of this machine for ours while developing only', () => {
  expect(rendererOrigin(false, 'http://localhost:5173/')).toBe('http://localhost:5173')
  expect(rendererOrigin(true, 'http://localhost:5173/')).toBe(ORIGIN)
  expect(rendererOrigin(false, 'http://example.com:5173/')).toBe(ORIGIN)
  expect(rendererOrigin(false, undefined)).toBe(ORIGIN)
})

it('loads the page itself and what it made itself, never the network', () => {
  expect(['app://k2/a.js', 'data:image/png;base64,', 'blob:app://k2/1'].every(url => mayLoad(url, ORIGIN))).toBe(true)
  for (const url of ['http://k2/', 'https://example.com/a.js', 'ws://127.0.0.1:8000/', 'file:///etc/passwd'])
    expect(mayLoad(url, ORIGIN)).toBe(false)
  expect(mayLoad('ws://localhost:5173/', 'http://localhost:5173')).toBe(true)
})
