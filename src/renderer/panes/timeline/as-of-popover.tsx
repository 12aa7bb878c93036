// Picks the moment that the page goes back to: a time, or one of the snapshots.
import { useRef, useState } from 'react'
import { flushSync } from 'react-dom'
import { useStore } from 'zustand'
import type { Snapshot } from '../../stores/snapshots.ts'
import { grouped } from '../../ui/decimal-text.ts'
import { momentIn, momentText } from '../../ui/moment-text.ts'
import { useWorkspace, useZone } from '../../ui/workspace-context.ts'

export const AS_OF_ID = 'as-of'

export function AsOfPopover() {
  const [opening, setOpening] = useState<number>()
  const popover = useRef<HTMLElement>(null)
  // Made anew before it shows, and the field focused by the browser as it shows: `toggle` comes some 20 ms later, and what is
  // typed right after the key would go to the page's keys, or to what was typed the last time.
  return (
    <section
      ref={popover}
      id={AS_OF_ID}
      className="popover as-of"
      popover="auto"
      role="dialog"
      aria-label="As of"
      onBeforeToggle={({ newState }) => newState === 'open' && flushSync(() => setOpening((opening ?? 0) + 1))}
      onToggle={({ newState }) => newState === 'closed' && setOpening(undefined)}
    >
      {opening && <AsOfBody key={opening} onPicked={() => popover.current?.hidePopover()} />}
    </section>
  )
}

function AsOfBody({ onPicked }: { onPicked: () => void }) {
  const { snapshots } = useWorkspace()
  const { list, failure } = useStore(snapshots)
  return (
    <>
      <TimeForm onPicked={onPicked} />
      <h2 id="snapshots-title">
        Snapshots of trades {list && <span className="dim">{list.length < 200 ? list.length : 'the newest 200'}</span>}
      </h2>
      {failure && (
        <p className="problem" role="alert">
          {failure}
        </p>
      )}
      {list?.length === 0 && <p className="dim">Nothing is committed yet. The writer commits every few seconds.</p>}
      {list && list.length > 0 && <SnapshotTable list={list} onPicked={onPicked} />}
    </>
  )
}

/** What was known at a time, as people write it, in the page's zone. */
function TimeForm({ onPicked }: { onPicked: () => void }) {
  const { moment, snapshots, density } = useWorkspace()
  const zone = useZone()
  const [near] = useState(
    () => moment.clockMicros ?? snapshots.getState().list?.[0]?.committedMicros ?? (density.edge || Date.now() * 1000),
  )
  const [text, setText] = useState(() => momentText(near, zone, 'second'))
  const [problem, setProblem] = useState('')

  return (
    <form
      className="as-of-time"
      onSubmit={event => {
        event.preventDefault()
        const micros = momentIn(text, zone, near)
        if (micros === undefined)
          return setProblem(`Write a time such as ${momentText(near, zone, 'second')}, or 10:41.`)
        // A second means all of it.
        moment.goAsOf(/\d:\d\d:\d\d$/.test(text.trim()) ? micros + 999_999 : micros)
        onPicked()
      }}
    >
      <label>
        <span>What was known at, in {zone.label}</span>
        <input
          ref={focusWhenShown}
          className="entry"
          type="text"
          value={text}
          spellCheck={false}
          autoComplete="off"
          aria-invalid={problem !== ''}
          aria-describedby="as-of-problem"
          onFocus={event => event.target.select()}
          onChange={event => {
            setText(event.target.value)
            setProblem('')
          }}
        />
      </label>
      <button type="submit" className="button">
        Go there
      </button>
      <p id="as-of-problem" className="problem" role="alert">
        {problem}
      </p>
    </form>
  )
}

/** The attribute itself, which a popover follows; React's `autoFocus` focuses at once, when nothing is shown yet. */
const focusWhenShown = (field: HTMLInputElement | null) => field?.setAttribute('autofocus', '')

function SnapshotTable({ list, onPicked }: { list: readonly Snapshot[]; onPicked: () => void }) {
  const { moment } = useWorkspace()
  const zone = useZone()
  const picked = useStore(moment.state, state => (state.mode === 'as_of' ? state.snapshotId : undefined))
  const go = (snapshot: Snapshot) => {
    moment.goAsOf(snapshot.committedMicros, {
      snapshotId: snapshot.id,
      label: snapshot.tags[0] ?? `Snapshot ${snapshot.id}`,
    })
    onPicked()
  }
  return (
    <div className="snapshot-scroller" tabIndex={-1}>
      <table className="snapshots" aria-labelledby="snapshots-title">
        <thead>
          <tr>
            <th scope="col">Committed</th>
            <th scope="col">Change</th>
            <th scope="col" className="number">
              Rows added
            </th>
            <th scope="col" className="number">
              Rows
            </th>
            <th scope="col">Name</th>
          </tr>
        </thead>
        <tbody>
          {list.map(snapshot => (
            <tr key={snapshot.id} aria-selected={snapshot.id === picked} onClick={() => go(snapshot)}>
              <td>
                <button type="button" title={`Snapshot ${snapshot.id}`} onClick={() => go(snapshot)}>
                  {momentText(snapshot.committedMicros, zone, 'millisecond')}
                </button>
              </td>
              <td>{CHANGES[snapshot.operation]}</td>
              <td className="number">{snapshot.added === 0 ? '' : grouped(snapshot.added)}</td>
              <td className="number">{snapshot.rows === null ? '' : grouped(snapshot.rows)}</td>
              <td>{snapshot.tags.join(', ')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

const CHANGES: Record<Snapshot['operation'], string> = {
  append: 'rows added',
  replace: 'files rewritten',
  overwrite: 'rows replaced',
  delete: 'rows removed',
}
