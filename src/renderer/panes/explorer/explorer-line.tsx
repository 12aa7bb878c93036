// Under the explorer's rows: where they came from and whether all are there; and taking them along.
import { useState } from 'react'
import { useStore } from 'zustand'
import { csvText } from '../../grid/cell-text.ts'
import type { GridHandle } from '../../grid/result-grid.tsx'
import type { Run } from '../../stores/explorer.ts'
import { MOST_ROWS } from '../../stores/explorer-statement.ts'
import { grouped } from '../../ui/decimal-text.ts'
import { tierText } from '../../ui/provenance-text.ts'
import { useWorkspace, useZone } from '../../ui/workspace-context.ts'
import { timeOfDay } from '../../ui/zone-time.ts'
import { copyRows, download, fileTitle } from './take-along.ts'

interface LineProps {
  run: Run
  grid: GridHandle | undefined
  trouble: string | undefined
}

export function ExplorerLine({ run: { result }, grid, trouble }: LineProps) {
  const { link } = useWorkspace()
  const zone = useZone()
  const linkState = useStore(link.store)
  if (!result) return null
  const { query, is_truncated, advice, openedAtMs, row_count } = result
  const isCut = !is_truncated && row_count === MOST_ROWS
  const partial = query.partial ? `Partial: ${query.why ?? 'K2 does not say why'}` : undefined
  const cut = is_truncated
    ? `Not all rows: ${advice ?? 'narrow the time range'}`
    : isCut
      ? `The first ${grouped(MOST_ROWS)}: narrow the times for the others`
      : undefined
  return (
    <div className="provenance explorer-line" role="group" aria-label="Where the explorer's rows come from">
      <span className="explorer-facts">
        <span className="unit" title={query.snapshot_id ?? undefined}>
          {tierText(linkState, query)}
        </span>
        {(trouble ?? partial ?? cut) ? (
          <span className="unit partial" title={trouble ?? partial ?? cut}>
            {trouble ?? partial ?? cut}
          </span>
        ) : (
          <span className="unit">Complete</span>
        )}
        {query.files && (
          <span className="unit">
            read {grouped(query.files.read)} of {grouped(query.files.total)} files
          </span>
        )}
        <span className="unit">{query.ms < 10 ? query.ms.toFixed(1) : grouped(query.ms)} ms</span>
        <span className="unit asked-at">asked at {timeOfDay(openedAtMs * 1000, zone, 'second')}</span>
      </span>
      <TakeAlong run={{ result }} grid={grid} />
    </div>
  )
}

function TakeAlong({ run: { result }, grid }: { run: Pick<Run, 'result'>; grid: GridHandle | undefined }) {
  const [said, setSaid] = useState('')
  const [isBusy, setBusy] = useState(false)
  const act = (work: () => Promise<string>) => async () => {
    setBusy(true)
    setSaid('')
    setSaid(await work().catch((failure: Error) => failure.message))
    setBusy(false)
  }
  const copy = act(async () => {
    const rows = await copyRows(result!, grid)
    await navigator.clipboard.writeText(csvText(grid?.columns() ?? result!.columns.map(({ name }) => name), rows))
    return `${grouped(rows.length)} ${rows.length === 1 ? 'row' : 'rows'} copied`
  })
  return (
    <>
      <span className="said" role="status">
        {said}
      </span>
      <button
        type="button"
        className="text-button"
        disabled={isBusy}
        title="The picked rows, or the first 10,000, as CSV"
        onClick={() => void copy()}
      >
        Copy
      </button>
      {(['csv', 'parquet'] as const).map(format => (
        <button
          key={format}
          type="button"
          className="text-button"
          disabled={isBusy}
          title={fileTitle(result!, format)}
          onClick={() => void act(() => download(result!, grid, format))()}
        >
          {format === 'csv' ? 'CSV' : 'Parquet'} ↓
        </button>
      ))}
    </>
  )
}
