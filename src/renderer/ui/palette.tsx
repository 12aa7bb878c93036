// The palette: every symbol and every command, found by typing. Part of the first load (17 kB), because the letters after its
// key are typed at once, and because a part that is loaded later can fail to load.
import { Command } from 'cmdk'
import { useEffect, useRef, useState } from 'react'
import { useStore } from 'zustand'
import type { Instrument } from '../stores/instruments.ts'
import { COMMAND_GROUPS, rateIn, type Command as K2Command } from './commands.ts'
import { grouped } from './decimal-text.ts'
import { keyLabel } from './keys.ts'
import { limitRate } from '../stores/demo.ts'
import { scoreMatch } from './score-match.ts'
import { useWorkspace } from './workspace-context.ts'

/** A list to look through; with more symbols than this one types. */
const MAX_SYMBOLS = 50

interface PaletteProps {
  commands: readonly K2Command[]
  onClose: () => void
}

export function Palette({ commands, onClose }: PaletteProps) {
  const { instruments, select, tape, demo } = useWorkspace()
  const dialog = useRef<HTMLDialogElement>(null)
  const [search, setSearch] = useState('')
  const isDemoOn = useStore(demo.state, ({ status }) => status?.running === true)

  // A native dialog keeps the focus inside and gives it back; cmdk's own would inject styles that the page's policy forbids.
  useEffect(() => {
    dialog.current?.showModal()
    dialog.current?.querySelector('input')?.focus()
  }, [])

  const pick = (act: () => void) => () => {
    dialog.current?.close()
    act()
  }
  const show = (instrument: Instrument) => {
    select(instrument)
    tape.show('one')
  }
  const offered = commands.filter(({ isOnlyKeys, isOffered }) => !isOnlyKeys && isOffered?.() !== false)
  const rate = rateIn(search)
  const symbols = matchSymbols(instruments.all, search)

  return (
    <dialog
      ref={dialog}
      className="palette"
      aria-label="Search or command"
      onClose={onClose}
      onClick={event => event.target === event.currentTarget && dialog.current?.close()}
    >
      <Command label="Search or command" loop filter={scoreItem}>
        <Command.Input
          value={search}
          onValueChange={setSearch}
          placeholder="A symbol, a command, or a rate such as 20k"
        />
        <Command.List label="Results">
          {rate === undefined && <Command.Empty>Nothing is called “{search}”.</Command.Empty>}
          {rate !== undefined && (
            <Command.Group heading="Simulated market" forceMount>
              <Command.Item value="rate" forceMount onSelect={pick(() => void demo.run(rate))}>
                <span>
                  {isDemoOn ? 'Run the simulated market at' : 'Start the simulated market at'}{' '}
                  {grouped(limitRate(rate))} messages a second
                </span>
              </Command.Item>
            </Command.Group>
          )}
          {COMMAND_GROUPS.filter(group => offered.some(command => command.group === group)).map(group => (
            <Command.Group key={group} heading={group}>
              {offered
                .filter(command => command.group === group)
                .map(({ id, title, keys, also, run }) => (
                  <Command.Item key={id} value={id} keywords={[title, group, also ?? '']} onSelect={pick(run)}>
                    <span>{title}</span>
                    {keys && <kbd>{keyLabel(keys)}</kbd>}
                  </Command.Item>
                ))}
            </Command.Group>
          ))}
          <Command.Group heading="Symbols">
            {symbols.map(instrument => (
              <Command.Item
                key={instrument.name}
                value={`symbol ${instrument.name}`}
                keywords={[instrument.symbol, instrument.name, instrument.companyName ?? '']}
                onSelect={pick(() => show(instrument))}
              >
                <span>
                  {instrument.symbol} <span className="dim">{instrument.exchange}</span>
                </span>
                <span className="dim">{instrument.companyName}</span>
              </Command.Item>
            ))}
          </Command.Group>
        </Command.List>
      </Command>
    </dialog>
  )
}

/** The first keyword of an item is its name; its value is only what tells it from others. */
function scoreItem(value: string, search: string, [name = value, ...also]: string[] = []): number {
  return scoreMatch(name, search, also)
}

function matchSymbols(all: readonly Instrument[], search: string): Instrument[] {
  return all
    .map(instrument => {
      const { symbol, name, companyName } = instrument
      return { instrument, score: scoreMatch(symbol, search, [name, companyName ?? '']) }
    })
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
    .slice(0, MAX_SYMBOLS)
    .map(({ instrument }) => instrument)
}
