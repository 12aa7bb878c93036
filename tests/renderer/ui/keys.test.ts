// @vitest-environment happy-dom
// Keys: single ones, chords, two in a row, and the places where a key belongs to something else.
import { describe, expect, it } from 'vitest'
import { createKeys, keyLabel } from '../../../src/renderer/ui/keys.ts'

function pressing(keys: readonly string[]) {
  const ran: string[] = []
  let nowMs = 0
  const press = createKeys(
    keys.map(key => ({ keys: key, run: () => ran.push(key) })),
    () => nowMs,
  )
  const hit = (key: string, more: Partial<KeyboardEvent> = {}) =>
    press({ key, metaKey: false, ctrlKey: false, altKey: false, target: document.body, ...more })
  return { ran, hit, wait: (ms: number) => (nowMs += ms) }
}

const inside = (html: string, selector: string) => {
  document.body.innerHTML = html
  return document.querySelector(selector)!
}

describe('keys', () => {
  it('run what they are bound to and say so', () => {
    const { ran, hit } = pressing(['/', 'Home', 'space'])
    expect([hit('/'), hit('Home'), hit(' '), hit('x')]).toEqual([true, true, true, false])
    expect(ran).toEqual(['/', 'Home', 'space'])
  })

  it('run a chord with either of its modifiers, also while typing', () => {
    const { ran, hit } = pressing(['mod+k'])
    const input = inside('<input>', 'input')
    hit('k', { ctrlKey: true, target: input })
    hit('K', { metaKey: true })
    hit('k')
    expect(ran).toEqual(['mod+k', 'mod+k'])
  })

  it("are the page's again once the field that has the focus is no longer shown", () => {
    const { ran, hit } = pressing(['Home', 't'])
    const input = inside('<section style="display: none"><input></section>', 'input')
    expect([hit('Home', { target: input }), hit('t', { target: input })]).toEqual([true, true])
    expect(ran).toEqual(['Home', 't'])
  })

  it('run two in a row within a moment', () => {
    const { ran, hit, wait } = pressing(['g t', 'g s', 't'])
    hit('g')
    hit('t')
    hit('g')
    wait(2000)
    hit('t')
    expect(ran).toEqual(['g t', 't'])
  })

  it('forget the first of two when another comes between', () => {
    const { ran, hit } = pressing(['g t', '/'])
    hit('g')
    hit('/')
    expect(hit('t')).toBe(false)
    expect(ran).toEqual(['/'])
  })

  it('leave letters to the field one types in', () => {
    const { ran, hit } = pressing(['a', '/', 'space'])
    const input = inside('<input type="search">', 'input')
    for (const key of ['a', '/', ' ']) expect(hit(key, { target: input })).toBe(false)
    expect(ran).toEqual([])
  })

  it('leave space to the button that has the focus', () => {
    const { ran, hit } = pressing(['space', 'a'])
    const button = inside('<button><span>Pause</span></button>', 'span')
    expect(hit(' ', { target: button })).toBe(false)
    expect(hit('a', { target: button })).toBe(true)
    expect(ran).toEqual(['a'])
  })

  it('tell named keys with Shift and Alt from those without', () => {
    const { ran, hit } = pressing(['a', 'ArrowLeft', 'shift+ArrowLeft', 'alt+ArrowLeft', '?'])
    expect(hit('a', { altKey: true })).toBe(false)
    hit('ArrowLeft')
    hit('ArrowLeft', { shiftKey: true })
    hit('ArrowLeft', { altKey: true })
    hit('?', { shiftKey: true })
    expect(ran).toEqual(['ArrowLeft', 'shift+ArrowLeft', 'alt+ArrowLeft', '?'])
  })

  it('leave arrows to the slider or the grid that has the focus', () => {
    const { ran, hit } = pressing(['ArrowLeft'])
    expect(hit('ArrowLeft', { target: inside('<input type="range">', 'input') })).toBe(false)
    expect(
      hit('ArrowLeft', { target: inside('<div role="grid"><div role="gridcell"></div></div>', '[role=gridcell]') }),
    ).toBe(false)
    expect(ran).toEqual([])
  })

  it('go to the first of several that is offered', () => {
    const ran: string[] = []
    let isLive = true
    const press = createKeys([
      { keys: 'space', isOffered: () => !isLive, run: () => ran.push('play') },
      { keys: 'space', isOffered: () => isLive, run: () => ran.push('hold') },
    ])
    const space = { key: ' ', metaKey: false, ctrlKey: false, altKey: false, target: document.body }
    press(space)
    isLive = false
    press(space)
    expect(ran).toEqual(['hold', 'play'])
  })
})

it('are written as people know them', () => {
  const written = { 'mod+k': 'Ctrl K', 'g t': 'g t', space: 'Space', Escape: 'Esc', '?': '?', 'mod+Enter': 'Ctrl ↵' }
  for (const [keys, label] of Object.entries({ ...written, 'shift+ArrowLeft': 'Shift ←' }))
    expect(keyLabel(keys)).toBe(label)
})
