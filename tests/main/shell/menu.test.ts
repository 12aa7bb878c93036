// The menu of each platform: what it offers and with which keys.
import type { MenuItemConstructorOptions } from 'electron'
import { describe, expect, it } from 'vitest'
import { docLink, docLinks } from '../../../src/main/shell/doc-links.ts'
import { menuTemplate } from '../../../src/main/shell/menu.ts'

type Item = MenuItemConstructorOptions
const submenu = (item: Item) => item.submenu as Item[]

function newMenu(platform: NodeJS.Platform, dev = false) {
  const opened: string[] = []
  const menu = menuTemplate({ platform, dev, openLink: url => opened.push(url) })
  const items = menu.flatMap(submenu)
  const keyOf = (role: string) => items.find(item => item.role === role)?.accelerator
  return { menu, items, keyOf, opened }
}

const platforms = ['darwin', 'win32', 'linux'] as const

it('starts with the application menu on macOS only', () => {
  expect(newMenu('darwin').menu[0]).toMatchObject({ role: 'appMenu', label: 'K2 Workstation' })
  expect(newMenu('linux').menu[0].label).toBe('&File')
  expect(newMenu('win32').menu[0].label).toBe('&File')
})

it('quits, closes and fills the screen by the keys of the platform', () => {
  const keys = (platform: NodeJS.Platform) => ['quit', 'close', 'togglefullscreen'].map(newMenu(platform).keyOf)
  expect(keys('darwin')).toEqual(['Cmd+Q', 'Cmd+W', 'Ctrl+Cmd+F'])
  expect(keys('linux')).toEqual(['Ctrl+Q', 'Ctrl+W', 'F11'])
  expect(keys('win32')).toEqual(['Alt+F4', 'Ctrl+W', 'F11'])
})

describe.each(platforms)('on %s', platform => {
  it('uses no key twice', () => {
    const keys = newMenu(platform, true).items.flatMap(item => item.accelerator ?? [])
    expect(keys).toEqual([...new Set(keys)])
    expect(keys.length).toBeGreaterThanOrEqual(6)
  })

  it('reloads and inspects the page only while developing', () => {
    const roles = (dev: boolean) => newMenu(platform, dev).items.map(({ role }) => role)
    expect(roles(true)).toEqual(expect.arrayContaining(['reload', 'toggleDevTools']))
    expect(roles(false)).not.toContain('reload')
    expect(roles(false)).not.toContain('toggleDevTools')
  })

  it('opens its documentation, by links that a page may have opened too', () => {
    const { menu, opened } = newMenu(platform)
    for (const item of submenu(menu.find(({ role }) => role === 'help')!)) (item.click as () => void)()
    expect(opened).toEqual(docLinks.map(({ url }) => url))
    expect(opened.map(docLink)).toEqual(opened)
  })
})
