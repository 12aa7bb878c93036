// The explorer: rows of the tables, or of a statement of SQL, in a grid.
import { Pane } from '../../ui/pane.tsx'

export function ExplorerPane() {
  return (
    <Pane name="explorer" title="Explorer">
      <p className="pane-note" tabIndex={0} data-home>
        Rows of the tables come here.
      </p>
    </Pane>
  )
}
