// A statement of SQL: ⌘↵ runs it, Esc cancels what runs, the place of a fault is marked in the text.
import { useEffect, useRef } from 'react'
import { useStore } from 'zustand'
import type { Failure } from '../../../contract/failure.ts'
import { keyLabel } from '../../ui/keys.ts'
import { useWorkspace } from '../../ui/workspace-context.ts'

export function SqlEditor() {
  const { explorer } = useWorkspace()
  const sql = useStore(explorer.state, state => state.sql)
  const failure = useStore(explorer.state, state => state.runs.sql.failure)
  const area = useRef<HTMLTextAreaElement>(null)
  const under = useRef<HTMLPreElement>(null)
  const fault = faultIn(sql, failure)
  const at = fault?.at

  // Whoever pressed the keys goes on where the fault is.
  useEffect(() => {
    if (at !== undefined && document.activeElement === area.current) area.current?.setSelectionRange(at, at)
  }, [at, failure])

  return (
    <div className="sql-editor">
      <pre ref={under} className="sql-under" aria-hidden="true">
        {fault ? (
          <>
            {sql.slice(0, fault.at)}
            <mark>{sql.slice(fault.at, fault.end) || ' '}</mark>
            {sql.slice(fault.end)}
          </>
        ) : null}
      </pre>
      <textarea
        ref={area}
        className="sql-text"
        aria-label={`SQL over trades, quotes, reference_data, sequence_gaps and dead_letters. ${keyLabel('mod+Enter')} runs it`}
        aria-invalid={failure !== undefined}
        spellCheck={false}
        autoComplete="off"
        value={sql}
        data-home
        onChange={event => explorer.write(event.target.value)}
        onScroll={event => under.current?.scrollTo(event.currentTarget.scrollLeft, event.currentTarget.scrollTop)}
        onKeyDown={event => {
          if (event.key === 'Enter' && (event.metaKey || event.ctrlKey)) {
            event.preventDefault()
            void explorer.run()
          }
          if (event.key === 'Escape' && explorer.state.getState().runs.sql.isRunning) {
            event.preventDefault()
            explorer.cancel()
          }
        }}
      />
      <kbd className="sql-key" aria-hidden="true">
        {keyLabel('mod+Enter')}
      </kbd>
    </div>
  )
}

/** Where the engine says the fault is: the word there. Gone once the text before it is another. */
export function faultIn(sql: string, failure: Failure | undefined): { at: number; end: number } | undefined {
  const { position } = (failure?.details ?? {}) as { position?: unknown }
  if (typeof position !== 'number' || position > sql.length) return undefined
  const word = /^[\p{L}\p{N}_]+/u.exec(sql.slice(position))?.[0]
  return { at: position, end: position + (word?.length ?? 1) }
}
