// What a person has chosen about how things look, remembered on this machine.
import { createStore, type StoreApi } from 'zustand/vanilla'

export const CHOICES = {
  theme: ['system', 'dark', 'light', 'contrast'],
  zone: ['exchange', 'utc', 'local'],
  rising: ['blue', 'orange'],
  density: ['compact', 'regular', 'roomy'],
  order: ['symbol', 'activity'],
} as const

export type Settings = { [K in keyof typeof CHOICES]: (typeof CHOICES)[K][number] } & {
  /** The instrument that panes follow, by name. */
  selected: string | null
}
export type Choice = keyof typeof CHOICES

/** Row height in pixels, on the 4 px grid. */
export const ROW_HEIGHT_PX = { compact: 20, regular: 24, roomy: 28 } as const

const KEY = 'k2.settings'
const DEFAULTS: Settings = {
  theme: 'system',
  zone: 'exchange',
  rising: 'blue',
  density: 'compact',
  order: 'symbol',
  selected: null,
}

export function openSettings(storage: Pick<Storage, 'getItem' | 'setItem'>): StoreApi<Settings> {
  const store = createStore<Settings>(() => readSettings(storage))
  store.subscribe(settings => storage.setItem(KEY, JSON.stringify(settings)))
  return store
}

/** What is damaged or no longer known falls back to its default, one by one. */
function readSettings(storage: Pick<Storage, 'getItem'>): Settings {
  const settings: Settings = { ...DEFAULTS }
  let saved: unknown
  try {
    saved = JSON.parse(storage.getItem(KEY) ?? '{}')
  } catch {
    return settings
  }
  if (typeof saved !== 'object' || saved === null) return settings
  const values = saved as Record<string, unknown>
  for (const choice of Object.keys(CHOICES) as Choice[]) {
    const known = (CHOICES[choice] as readonly unknown[]).includes(values[choice])
    if (known) Object.assign(settings, { [choice]: values[choice] })
  }
  if (typeof values.selected === 'string') settings.selected = values.selected
  return settings
}
