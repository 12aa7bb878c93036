// Which key does what: single keys, chords with ⌘ or Ctrl, and two keys one after the other (g, then a pane's letter).

export interface KeyBinding {
  /** `mod+k`, `/`, `space`, `g t`; `mod` is ⌘ on a Mac and Ctrl elsewhere. */
  keys: string
  run: () => void
}

type KeyPress = Pick<KeyboardEvent, 'key' | 'metaKey' | 'ctrlKey' | 'altKey' | 'target'>

const SEQUENCE_MS = 1500

/** Gives a function that runs what is bound to a press and says whether anything was. */
export function createKeys(bindings: readonly KeyBinding[], now: () => number = () => performance.now()) {
  const byKeys = new Map(bindings.map(binding => [binding.keys, binding]))
  const starts = new Set(bindings.flatMap(({ keys }) => (keys.includes(' ') ? [keys.split(' ')[0]] : [])))
  let pending = ''
  let pendingUntil = 0

  return function press(event: KeyPress): boolean {
    const name = keyName(event)
    const isChord = name.startsWith('mod+')
    const before = now() < pendingUntil ? pending : ''
    pending = ''
    if (event.altKey || (!isChord && isTyping(event.target))) return false
    if (name === 'space' && isActivatable(event.target)) return false
    if (before) {
      const sequence = byKeys.get(`${before} ${name}`)
      if (sequence) {
        sequence.run()
        return true
      }
    }
    const binding = byKeys.get(name)
    if (binding) binding.run()
    else if (starts.has(name)) {
      pending = name
      pendingUntil = now() + SEQUENCE_MS
    } else return false
    return true
  }
}

function keyName({ key, metaKey, ctrlKey }: KeyPress): string {
  const name = key === ' ' ? 'space' : key.length === 1 ? key.toLowerCase() : key
  return metaKey || ctrlKey ? `mod+${name}` : name
}

/** Letters belong to the field one types in. */
function isTyping(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('input:not([type=range], [type=radio]), textarea, select') !== null
}

/** Space presses the button that has the focus; it must not do a second thing. */
function isActivatable(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('button, a, input, summary, [role=option], dialog') !== null
}

const isMac = typeof navigator !== 'undefined' && /mac/i.test(navigator.platform)

/** As it is written beside a command: `mod+k` → "⌘K" or "Ctrl K". */
export function keyLabel(keys: string): string {
  const names: Record<string, string> = { space: 'Space', Escape: 'Esc' }
  return keys
    .split(' ')
    .map(key => {
      const isChord = key.startsWith('mod+')
      const name = isChord ? key.slice(4) : key
      const label = names[name] ?? (isChord ? name.toUpperCase() : name)
      return isChord ? (isMac ? `⌘${label}` : `Ctrl ${label}`) : label
    })
    .join(' ')
}
