// Where the window's program is looked for, and what is said when it is nowhere.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { findElectron } from '../../src/main/find-electron.ts'

const env = { DISPLAY: ':0' }

function newRoot(files: Record<string, string> = {}): string {
  const root = mkdtempSync(join(tmpdir(), 'k2-electron-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(root, name, '..'), { recursive: true })
    writeFileSync(join(root, name), text)
  }
  return root
}

it('takes the program that K2_ELECTRON names before the installed one', () => {
  const root = newRoot({
    mine: '',
    'node_modules/electron/path.txt': 'electron',
    'node_modules/electron/dist/electron': '',
  })
  const mine = join(root, 'mine')
  expect(findElectron({ env: { ...env, K2_ELECTRON: mine }, root })).toEqual({ path: mine })
  expect(findElectron({ env, root })).toEqual({ path: join(root, 'node_modules/electron/dist/electron') })
})

it('says how to install the program when the package came without it, or only half of it', () => {
  const missing = { missing: expect.stringContaining('`npx install-electron`') as string }
  expect(findElectron({ env, root: newRoot() })).toEqual(missing)
  expect(findElectron({ env, root: newRoot({ 'node_modules/electron/path.txt': 'electron' }) })).toEqual(missing)
})

it('says that the file K2_ELECTRON names is not there, rather than taking another', () => {
  const root = newRoot({ 'node_modules/electron/path.txt': 'electron', 'node_modules/electron/dist/electron': '' })
  expect(findElectron({ env: { ...env, K2_ELECTRON: '/nowhere/electron' }, root })).toEqual({
    missing: 'K2_ELECTRON names /nowhere/electron, where there is no file: K2 opens in the browser instead.',
  })
})

it('needs a display on Linux, X11 or Wayland, and asks for none elsewhere', () => {
  const root = newRoot({ 'node_modules/electron/path.txt': 'electron', 'node_modules/electron/dist/electron': '' })
  expect(findElectron({ env: {}, platform: 'linux', root })).toEqual({
    missing: expect.stringContaining('no display') as string,
  })
  expect(findElectron({ env: { WAYLAND_DISPLAY: 'wayland-0' }, platform: 'linux', root })).toHaveProperty('path')
  expect(findElectron({ env: {}, platform: 'darwin', root })).toHaveProperty('path')
})
