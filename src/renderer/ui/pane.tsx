// A pane: a named landmark with a head and a body, and a mark of age while the connection is gone.
import type { ReactNode } from 'react'
import { useStore } from 'zustand'
import { ageText } from './decimal-text.ts'
import type { PaneName } from './commands.ts'
import { useNow } from './use-now.ts'
import { useWorkspace } from './workspace-context.ts'

interface PaneProps {
  name: PaneName
  title: string
  /** Beside the title. */
  head?: ReactNode
  children: ReactNode
}

export function Pane({ name, title, head, children }: PaneProps) {
  const { link } = useWorkspace()
  const lostAtMs = useStore(link.store, ({ lostAtMs }) => lostAtMs)
  return (
    <section
      className={`pane pane-${name}`}
      data-pane={name}
      data-stale={lostAtMs !== undefined}
      aria-labelledby={`${name}-title`}
    >
      <header className="pane-head">
        <h2 id={`${name}-title`}>{title}</h2>
        {lostAtMs !== undefined && <StaleMark sinceMs={lostAtMs} />}
        {head}
      </header>
      {children}
    </section>
  )
}

function StaleMark({ sinceMs }: { sinceMs: number }) {
  const now = useNow(1000)
  return <span className="stale-mark">{ageText(Math.max(0, now - sinceMs))} old</span>
}
