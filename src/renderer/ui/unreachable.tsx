// What is shown instead of panes when K2 could not be reached at all: what happened, what to do.
import { useStore } from 'zustand'
import { useNow } from './use-now.ts'
import { useWorkspace } from './workspace-context.ts'

export function Unreachable() {
  const { link } = useWorkspace()
  const { why, retryAtMs } = useStore(link.store)
  const now = useNow(500)
  const seconds = Math.max(0, Math.ceil(((retryAtMs ?? now) - now) / 1000))
  return (
    <main className="empty">
      <div className="empty-body">
        <h2>K2 cannot be reached</h2>
        <p role="alert">{why}</p>
        <div className="unreachable-next">
          <button type="button" className="button primary" onClick={() => link.reconnect()}>
            Try again now
          </button>
          <span className="dim">{seconds > 0 ? `Next try in ${seconds} s` : 'Trying'}</span>
        </div>
      </div>
    </main>
  )
}
