// Which key does what: single keys, chords with ⌘ or Ctrl, and two keys one after the other (g, then a pane's letter).

export interface KeyBinding {
  /** `mod+k`, `/`, `space`, `g t`, `shift+ArrowLeft`; `mod` is ⌘ on a Mac and Ctrl elsewhere. */
  keys: string
  /** Of several with the same keys the first that is offered runs. */
  isOffered?: () => boolean
  run: () => void
}

type KeyPress = Pick<KeyboardEvent, 'key' | 'metaKey' | 'ctrlKey' | 'altKey' | 'target'> & { shiftKey?: boolean }

const SEQUENCE_MS = 1500

/** Gives a function that runs what is bound to a press and says whether anything was. */
export function createKeys(bindings: readonly KeyBinding[], now: () => number = () => performance.now()) {
  const starts = new Set(bindings.flatMap(({ keys }) => (keys.includes(' ') ? [keys.split(' ')[0]] : [])))
  let pending = ''
  let pendingUntil = 0

  const find = (name: string) => bindings.find(({ keys, isOffered }) => keys === name && isOffered?.() !== false)

  return function press(event: KeyPress): boolean {
    const name = keyName(event)
    const isChord = name.startsWith('mod+')
    const before = now() < pendingUntil ? pending : ''
    pending = ''
    const within = shownTarget(event)
    // A field takes its own letters back.
    if ((!isChord || name === 'mod+z') && isTyping(within)) return false
    if (name === 'space' && isActivatable(within)) return false
    if (WALKING.test(name) && isWalked(within)) return false
    if (before) {
      const sequence = find(`${before} ${name}`)
      if (sequence) {
        sequence.run()
        return true
      }
    }
    const binding = find(name)
    if (binding) binding.run()
    else if (starts.has(name)) {
      pending = name
      pendingUntil = now() + SEQUENCE_MS
    } else return false
    return true
  }
}

/** Shift is part of a letter or a sign already; of a named key it has to be said. */
function keyName({ key, metaKey, ctrlKey, altKey, shiftKey }: KeyPress): string {
  const name = key === ' ' ? 'space' : key.length === 1 ? key.toLowerCase() : key
  const shift = shiftKey && name.length > 1 ? 'shift+' : ''
  return `${metaKey || ctrlKey ? 'mod+' : ''}${altKey ? 'alt+' : ''}${shift}${name}`
}

/** A field keeps the focus for a frame or two after its popover has gone (30 ms measured): keys are the page's again by then. */
function shownTarget({ target }: KeyPress): Element | undefined {
  return target instanceof Element && target.checkVisibility() ? target : undefined
}

/** Letters belong to the field one types in. */
function isTyping(target?: Element): boolean {
  return target?.closest('input:not([type=range], [type=radio]), textarea, select') != null
}

/** Space presses the button that has the focus; it must not do a second thing. */
function isActivatable(target?: Element): boolean {
  return target?.closest('button, a, input, summary, [role=option], dialog') != null
}

const WALKING = /(Arrow|Home$|End$)/

/** Arrows choose in a slider, a list or a grid that has the focus. */
function isWalked(target?: Element): boolean {
  return target?.closest('input, [role=grid], [role=menu], [role=dialog]') != null
}

const isMac = typeof navigator !== 'undefined' && /mac/i.test(navigator.platform)

const MODIFIERS: Record<string, string> = isMac
  ? { mod: '⌘', alt: '⌥', shift: '⇧' }
  : { mod: 'Ctrl ', alt: 'Alt ', shift: 'Shift ' }

/** As it is written beside a command: `mod+k` → "⌘K" or "Ctrl K". */
export function keyLabel(keys: string): string {
  const names: Record<string, string> = {
    space: 'Space',
    Escape: 'Esc',
    Enter: '↵',
    ArrowLeft: '←',
    ArrowRight: '→',
    ArrowUp: '↑',
    ArrowDown: '↓',
  }
  return keys
    .split(' ')
    .map(key => {
      const held = key.split('+').slice(0, -1)
      const name = key.slice(key.lastIndexOf('+') + 1) || key
      const label = names[name] ?? (held.includes('mod') && name.length === 1 ? name.toUpperCase() : name)
      return held.map(modifier => MODIFIERS[modifier]).join('') + label
    })
    .join(' ')
}
