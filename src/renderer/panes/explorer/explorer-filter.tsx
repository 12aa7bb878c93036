// What rows of trades and quotes are narrowed to: the linked symbol or all, a time range, which end first.
import { useState } from 'react'
import { useStore } from 'zustand'
import type { RangeName } from '../../stores/explorer.ts'
import { momentIn, momentText } from '../../ui/moment-text.ts'
import { useWorkspace, useZone } from '../../ui/workspace-context.ts'

const RANGES: Record<RangeName, string> = {
  all: 'All times',
  '15m': 'Last 15 minutes',
  '1h': 'Last hour',
  '1d': 'Last 24 hours',
  between: 'Between…',
}

interface FilterRowProps {
  hasFilterRow: boolean
  onFilterRow: () => void
}

export function ExplorerFilterRow({ hasFilterRow, onFilterRow }: FilterRowProps) {
  const { explorer, focus } = useWorkspace()
  const { scope, range, newestFirst } = useStore(explorer.state, state => state.filter)
  const name = useStore(focus, ({ instrument }) => instrument?.name)
  return (
    <div className="explorer-filter">
      <div className="segments" role="group" aria-label="Whose rows">
        <button
          type="button"
          aria-pressed={scope === 'linked'}
          title="The symbol that is selected, whichever that is"
          onClick={() => explorer.narrow({ scope: 'linked' })}
        >
          <span className="linked-dot" aria-hidden="true" />
          {name ?? 'Selected'}
        </button>
        <button type="button" aria-pressed={scope === 'all'} onClick={() => explorer.narrow({ scope: 'all' })}>
          All symbols
        </button>
      </div>
      <label>
        <span className="unseen">Times</span>
        <select
          className="entry"
          value={range}
          onChange={event => explorer.narrow({ range: event.target.value as RangeName })}
        >
          {Object.entries(RANGES).map(([value, title]) => (
            <option key={value} value={value}>
              {title}
            </option>
          ))}
        </select>
      </label>
      {range === 'between' && (
        <>
          <MomentField which="fromMicros" label="From" />
          <MomentField which="toMicros" label="to before" />
        </>
      )}
      <span className="spring" />
      <button
        type="button"
        className="button"
        aria-pressed={newestFirst}
        title="Which end comes first"
        onClick={() => explorer.narrow({ newestFirst: !newestFirst })}
      >
        {newestFirst ? 'Newest first ↓' : 'Oldest first ↑'}
      </button>
      <button
        type="button"
        className="button"
        aria-pressed={hasFilterRow}
        title="A filter under the head of each column"
        onClick={onFilterRow}
      >
        Filter
      </button>
    </div>
  )
}

/** Taken when one leaves it or presses Enter; what is no time stays and says so. */
function MomentField({ which, label }: { which: 'fromMicros' | 'toMicros'; label: string }) {
  const { explorer, density, moment } = useWorkspace()
  const zone = useZone()
  const micros = useStore(explorer.state, state => state.filter[which])
  const shown = micros === undefined ? '' : momentText(micros, zone, 'second')
  const [typed, setTyped] = useState<string>()
  const [openedAtMicros] = useState(() => Date.now() * 1000)
  const near = micros ?? moment.clockMicros ?? (density.edge || openedAtMicros)
  const read = typed?.trim() ? momentIn(typed, zone, near) : undefined
  const isWrong = !!typed?.trim() && read === undefined
  const take = () => {
    if (typed === undefined || isWrong) return
    setTyped(undefined)
    if (read !== micros) explorer.narrow({ [which]: read })
  }
  return (
    <label className="moment-field">
      <span>{label}</span>
      <input
        className="entry"
        type="text"
        value={typed ?? shown}
        placeholder={momentText(near, zone, 'minute')}
        aria-invalid={isWrong}
        title={isWrong ? 'A time such as 2014-03-10 10:41:22, or 10:41 of the day shown' : undefined}
        spellCheck={false}
        autoComplete="off"
        onChange={event => setTyped(event.target.value)}
        onBlur={take}
        onKeyDown={event => event.key === 'Enter' && take()}
      />
    </label>
  )
}
