// Flags as Electron's own command line gives them.
import { expect, it } from 'vitest'
import { launchFlags } from '../../../src/main/shell/launch-flags.ts'

it('reads values behind a flag, after an equals sign, or true where there is none', () => {
  const argv = ['/opt/k2', '.', '--connect=http://k2:8000', '--profile', '/data/k2', '--demo', '--rate', '500']
  expect(launchFlags(argv)).toEqual({ connect: 'http://k2:8000', profile: '/data/k2', demo: true, rate: '500' })
})

it('names flags as the command line does, and keeps empty and odd values', () => {
  expect(launchFlags(['k2', '--allowed-hosts=a=b', '--connect=', '--no-sandbox', '--x', '-y'])).toEqual({
    allowedHosts: 'a=b',
    connect: '',
    noSandbox: true,
    x: true,
  })
})

it('takes words that are no flags for none', () => {
  expect(launchFlags(['k2', '-v', 'app', '--', '--9'])).toEqual({})
})
