// The frame: header, panes, provenance, timeline; and the keys that work everywhere.
import { useEffect, useMemo, useState, type ReactNode } from 'react'
import { useStore } from 'zustand'
import { chartCommands } from './panes/chart/chart-commands.ts'
import { ChartPane } from './panes/chart/chart-pane.tsx'
import { ExplorerPane } from './panes/explorer/explorer-pane.tsx'
import { replayCommands } from './panes/replay/replay-commands.ts'
import { QuotesPane } from './panes/quotes/quotes-pane.tsx'
import { SymbolsPane } from './panes/symbols/symbols-pane.tsx'
import { TapePane } from './panes/tape/tape-pane.tsx'
import { AS_OF_ID } from './panes/timeline/as-of-popover.tsx'
import { TimelineStrip } from './panes/timeline/timeline-strip.tsx'
import type { Workspace } from './stores/workspace.ts'
import { listCommands, type Command, type FrameActions } from './ui/commands.ts'
import { EmptyWorkspace } from './ui/empty-workspace.tsx'
import { Guard } from './ui/guard.tsx'
import { Header } from './ui/header.tsx'
import { KeyHelp, KEY_HELP_ID } from './ui/key-help.tsx'
import { createKeys } from './ui/keys.ts'
import { Palette } from './ui/palette.tsx'
import { ProvenanceStrip } from './ui/provenance-strip.tsx'
import { SettingsPopover, SETTINGS_ID } from './ui/settings-popover.tsx'
import { Unreachable } from './ui/unreachable.tsx'
import { useWorkspace, WorkspaceContext } from './ui/workspace-context.ts'

export function App({ workspace }: { workspace: Workspace }) {
  const [isPaletteOpen, setPaletteOpen] = useState(false)
  const commands = useMemo(() => {
    const frame: FrameActions = {
      openPalette: () => setPaletteOpen(true),
      openKeys: () => togglePopover(KEY_HELP_ID),
      openSettings: () => togglePopover(SETTINGS_ID),
      focusPane: pane => focusOn(`[data-pane="${pane}"] [data-home]`),
      focusFilter: () => focusOn('#symbol-filter'),
      openSql: () => {
        workspace.explorer.show('sql')
        requestAnimationFrame(() => focusOn('.sql-text'))
      },
      openAsOf: () => document.getElementById(AS_OF_ID)?.showPopover(),
    }
    return [...replayCommands(workspace), ...chartCommands(workspace), ...listCommands(workspace, frame)]
  }, [workspace])
  useKeys(commands)

  return (
    <WorkspaceContext value={workspace}>
      <Frame>
        <Guard what="The header">
          <Header onSearch={() => setPaletteOpen(true)} />
        </Guard>
        <LoadingBar />
        <Panes />
        <Guard what="The provenance strip">
          <ProvenanceStrip />
        </Guard>
        <Guard what="The timeline">
          <TimelineStrip />
        </Guard>
      </Frame>
      <SettingsPopover />
      <KeyHelp commands={commands} />
      {isPaletteOpen && (
        <Guard what="The palette">
          <Palette commands={commands} onClose={() => setPaletteOpen(false)} />
        </Guard>
      )}
    </WorkspaceContext>
  )
}

/** Outside live the whole frame says so, by its border and in the header, so that nobody takes the past for the present. */
function Frame({ children }: { children: ReactNode }) {
  const { moment } = useWorkspace()
  const mode = useStore(moment.state, state => state.mode)
  return (
    <div className="frame" data-mode={mode}>
      {children}
    </div>
  )
}

function Panes() {
  const { link, symbols, demo, trades } = useWorkspace()
  const isUnreachable = useStore(link.store, ({ state, about }) => state === 'lost' && !about)
  const isListEmpty = useStore(symbols, ({ count }) => count === 0)
  const isDemoOff = useStore(demo.state, ({ status }) => status?.running === false)
  const hasTrades = useStore(trades.state, ({ hasRows }) => hasRows)
  if (isUnreachable) return <Unreachable />
  if (isListEmpty && isDemoOff && !hasTrades) return <EmptyWorkspace />
  return (
    <main className="panes">
      <Guard what="The list of symbols">
        <SymbolsPane />
      </Guard>
      <Guard what="The chart">
        <ChartPane />
      </Guard>
      <Guard what="The explorer">
        <ExplorerPane />
      </Guard>
      <Guard what="The tape">
        <TapePane />
      </Guard>
      <Guard what="The quotes">
        <QuotesPane />
      </Guard>
    </main>
  )
}

/** A thin line while the first answer is on its way; its style lets it appear after 150 ms only. */
function LoadingBar() {
  const { symbols, demo, trades } = useWorkspace()
  const isWaiting = useStore(symbols, ({ count }) => count === undefined)
  const isDemoOn = useStore(demo.state, ({ status }) => status?.running === true)
  const hasTrades = useStore(trades.state, ({ hasRows }) => hasRows)
  const isLoading = isWaiting || (isDemoOn && !hasTrades)
  return <div className="waiting-bar" role="progressbar" aria-label="Loading" hidden={!isLoading} />
}

function useKeys(commands: readonly Command[]): void {
  useEffect(() => {
    const bindings = commands.flatMap(({ keys, run, isOffered }) => (keys ? [{ keys, run, isOffered }] : []))
    const press = createKeys(bindings)
    const listen = (event: KeyboardEvent) => {
      if (!event.defaultPrevented && press(event)) event.preventDefault()
    }
    window.addEventListener('keydown', listen)
    return () => window.removeEventListener('keydown', listen)
  }, [commands])
}

function togglePopover(id: string): void {
  document.getElementById(id)?.togglePopover()
}

function focusOn(selector: string): void {
  document.querySelector<HTMLElement>(selector)?.focus()
}
