// The policy both page servers send: no inline code without this page's nonce, nothing from elsewhere.
import { expect, it } from 'vitest'
import { contentSecurityPolicy } from '../../../src/main/wire/csp.ts'

const directives = (policy: string) =>
  new Map(policy.split('; ').map(directive => [directive.split(' ')[0], directive.split(' ').slice(1)]))

it('allows scripts and styles of the own origin and with the nonce of the page, nothing inline and no eval', () => {
  const policy = directives(contentSecurityPolicy('bm9uY2U=', ["'self'"]))
  expect(policy.get('script-src')).toEqual(["'self'", "'nonce-bm9uY2U='"])
  expect(policy.get('style-src')).toEqual(["'self'", "'nonce-bm9uY2U='"])
  expect([...policy.values()].flat().filter(source => source.startsWith("'unsafe"))).toEqual([])
})

it('denies by default, and framing, forms, plugins and another base altogether', () => {
  const policy = directives(contentSecurityPolicy('n', ["'self'"]))
  for (const name of ['default-src', 'base-uri', 'form-action', 'frame-ancestors', 'object-src'])
    expect(policy.get(name)).toEqual(["'none'"])
})

it('lets the page connect to what is listed, to nothing where the list is empty', () => {
  expect(directives(contentSecurityPolicy('n', ["'self'", 'ws://127.0.0.1:8000'])).get('connect-src')).toEqual([
    "'self'",
    'ws://127.0.0.1:8000',
  ])
  expect(directives(contentSecurityPolicy('n', [])).get('connect-src')).toEqual(["'none'"])
})
