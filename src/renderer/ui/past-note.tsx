// What stands in the tape and the quotes outside live while they have no rows: why, and what to do.
import { useStore } from 'zustand'
import { useWorkspace } from './workspace-context.ts'

export function PastNote({ what }: { what: string }) {
  const { moment, asOf, replay } = useWorkspace()
  const mode = useStore(moment.state, state => state.mode)
  const { isAsking, failure } = useStore(asOf.state)
  const hasSession = useStore(replay.state, ({ session }) => session !== undefined)
  if (mode === 'replay') return <p className="pane-note">{hasSession ? `No ${what} up to here. Play, or step.` : ''}</p>
  if (isAsking) return null
  if (failure === undefined) return <p className="pane-note">No {what} were known at this moment.</p>
  return (
    <div className="pane-note" role="alert">
      <p className="problem">{failure}</p>
      <button type="button" className="button" onClick={asOf.retry}>
        Try again
      </button>
    </div>
  )
}
