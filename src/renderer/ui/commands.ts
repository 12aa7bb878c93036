// Everything one can do, in one table: the palette lists it, the keys run it, the key help reads from it.
import type { Settings } from '../stores/settings.ts'
import type { Workspace } from '../stores/workspace.ts'

export const COMMAND_GROUPS = [
  'Moment',
  'Replay',
  'Tape',
  'Chart',
  'Explorer',
  'Go to',
  'Simulated market',
  'View',
] as const

export interface Command {
  id: string
  group: (typeof COMMAND_GROUPS)[number]
  title: string
  keys?: string
  /** Further words under which the palette finds it. */
  also?: string
  /** Left out of the palette while it would do nothing; its keys then go to the next command that has them. */
  isOffered?: () => boolean
  /** Never in the palette. */
  isOnlyKeys?: boolean
  run: () => void
}

/** What a command does to the frame, which knows where things are on the page. */
export interface FrameActions {
  openPalette: () => void
  openKeys: () => void
  openSettings: () => void
  focusPane: (pane: PaneName) => void
  focusFilter: () => void
  openAsOf: () => void
  openSql: () => void
}

export type PaneName = 'symbols' | 'chart' | 'explorer' | 'tape' | 'quotes' | 'timeline'

export function listCommands(workspace: Workspace, frame: FrameActions): Command[] {
  const { tape, demo, settings, link, moment, explorer } = workspace
  const set = (change: Partial<Settings>) => () => settings.setState(change)
  const isDemoOn = () => demo.state.getState().status?.running === true
  const isDemoOff = () => !isDemoOn()
  const isLive = () => moment.state.getState().mode === 'live'
  const goLive = () => {
    moment.goLive()
    tape.goLive()
  }
  const toggleTape = () => (tape.state.getState().held ? tape.goLive() : tape.hold())

  return [
    command('Go to', 'Symbols', { keys: 'g s', run: () => frame.focusPane('symbols') }),
    command('Go to', 'Chart', { keys: 'g c', run: () => frame.focusPane('chart') }),
    command('Go to', 'Explorer', { keys: 'g e', run: () => frame.focusPane('explorer') }),
    command('Go to', 'Tape', { keys: 'g t', run: () => frame.focusPane('tape') }),
    command('Go to', 'Quotes', { keys: 'g q', run: () => frame.focusPane('quotes') }),
    command('Go to', 'Timeline', { keys: 'g l', run: () => frame.focusPane('timeline') }),
    command('Go to', 'Filter symbols', { keys: '/', run: frame.focusFilter }),
    command('Go to', 'Search or command', { keys: 'mod+k', isOnlyKeys: true, run: frame.openPalette }),
    command('Moment', 'Live', { keys: 'Home', also: 'newest now back to live', run: goLive }),
    command('Moment', 'As of…', { keys: 't', also: 'past snapshot time travel history', run: frame.openAsOf }),
    command('Moment', 'Replay', { keys: 'r', also: 'play day session', run: () => moment.goReplay() }),
    command('Tape', 'Pause or go on', {
      keys: 'space',
      also: 'play hold stop tape',
      isOffered: isLive,
      run: toggleTape,
    }),
    command('Tape', 'All symbols', { keys: 'a', also: 'tape scope', run: () => tape.show('all') }),
    command('Tape', 'Only the selected symbol', { keys: 'o', also: 'tape scope one', run: () => tape.show('one') }),
    command('Explorer', 'Trades', { also: 'rows explore table', run: () => explorer.show('trades') }),
    command('Explorer', 'Quotes', { also: 'rows explore table', run: () => explorer.show('quotes') }),
    command('Explorer', 'SQL', { keys: 'q', also: 'query statement', run: frame.openSql }),
    command('Explorer', 'Ask again', { keys: 'mod+Enter', also: 'run refresh', run: () => void explorer.run() }),
    command('Explorer', 'Cancel what runs', {
      keys: 'Escape',
      isOffered: () => explorer.isRunning(),
      run: explorer.cancel,
    }),
    command('Explorer', 'Undo a filter', { keys: 'mod+z', also: 'back', run: () => void explorer.undo() }),
    command('Explorer', 'All symbols', { also: 'rows scope', run: () => explorer.narrow({ scope: 'all' }) }),
    command('Explorer', 'Only the selected symbol', {
      also: 'rows linked scope',
      run: () => explorer.narrow({ scope: 'linked' }),
    }),
    command('Simulated market', 'Start the simulated market', {
      also: 'demo',
      isOffered: isDemoOff,
      run: () => void demo.run(),
    }),
    command('Simulated market', 'Stop the simulated market', {
      also: 'demo',
      isOffered: isDemoOn,
      run: () => void demo.stop(),
    }),
    command('View', 'Theme: as the system', { also: 'auto', run: set({ theme: 'system' }) }),
    command('View', 'Theme: dark', { also: 'night', run: set({ theme: 'dark' }) }),
    command('View', 'Theme: light', { also: 'day', run: set({ theme: 'light' }) }),
    command('View', 'Theme: high contrast', { also: 'accessibility', run: set({ theme: 'contrast' }) }),
    command('View', "Times in the exchange's zone", { also: 'clock sydney', run: set({ zone: 'exchange' }) }),
    command('View', 'Times in UTC', { also: 'clock zone', run: set({ zone: 'utc' }) }),
    command('View', 'Times in local time', { also: 'clock zone', run: set({ zone: 'local' }) }),
    command('View', 'Rows: compact', { also: 'density', run: set({ density: 'compact' }) }),
    command('View', 'Rows: regular', { also: 'density', run: set({ density: 'regular' }) }),
    command('View', 'Rows: roomy', { also: 'density', run: set({ density: 'roomy' }) }),
    command('View', 'Settings', { keys: 'mod+,', also: 'theme zone colours', run: frame.openSettings }),
    command('View', 'Keys', { keys: '?', also: 'help shortcuts', run: frame.openKeys }),
    command('View', 'Reconnect now', { also: 'connection', run: () => link.reconnect() }),
  ]
}

function command(group: Command['group'], title: string, rest: Omit<Command, 'id' | 'group' | 'title'>): Command {
  return { id: `${group}: ${title}`, group, title, ...rest }
}

/** A number typed into the palette is a rate: "5000", "rate 12,000", "20k". */
export function rateIn(search: string): number | undefined {
  const [, digits, thousands] = /^\D*?([\d,]+)\s*(k?)\b/i.exec(search.trim()) ?? []
  if (!digits) return undefined
  const rate = Number(digits.replaceAll(',', '')) * (thousands ? 1000 : 1)
  return rate > 0 ? rate : undefined
}
