// Rows of a held result in AG Grid, whose infinite row model asks for a window at a time; the engine sorts and filters.
// The only importer of AG Grid, loaded when a grid is first shown.
import {
  CellStyleModule,
  ColumnApiModule,
  InfiniteRowModelModule,
  ModuleRegistry,
  RowSelectionModule,
  ScrollApiModule,
  TextFilterModule,
  type ColDef,
  type GridApi,
  type IDatasource,
  type IGetRowsParams,
} from 'ag-grid-community'
import { AgGridReact } from 'ag-grid-react'
import { useEffect, useMemo, useRef } from 'react'
import type { Filter, HeldResult, Sort } from '../stores/held-result.ts'
import type { Zone } from '../ui/zone-time.ts'
import { createCellText, csvText, type GridRow } from './cell-text.ts'
import { conditionsOf, filterOptionsOf, isRightAligned, sortOf, type TypedFilter } from './column-filter.ts'
import { columnWidthPx, gridTheme } from './grid-theme.ts'

ModuleRegistry.registerModules([
  InfiniteRowModelModule,
  ColumnApiModule,
  CellStyleModule,
  RowSelectionModule,
  ScrollApiModule,
  TextFilterModule,
])

const BLOCK_ROWS = 200
const BLOCKS = 20
/** While a person drags the scroll bar, blocks that are passed are not asked for. */
const JUMP_SETTLE_MS = 40

/** What the pane does with the grid that it shows. */
export interface GridHandle {
  /** Rows that are picked, or none; in the order of the grid. */
  picked: () => GridRow[]
  columns: () => string[]
  order: () => { sort: Sort; filter: Filter }
  clearFilter: () => void
}

export interface ResultGridProps {
  result: HeldResult
  zone: Zone
  rowHeightPx: number
  /** What stands where there is no value. */
  noValue: string
  hasFilterRow: boolean
  /** What a column is called on the page, where not as in the result. */
  headOf?: Readonly<Record<string, string>>
  label: string
  /** These do not change while a result is shown. */
  onCount: (rowCount: number, isFiltered: boolean) => void
  onTrouble: (trouble: string | undefined) => void
  onReady: (handle: GridHandle) => void
}

export function ResultGrid(props: ResultGridProps) {
  const { result, zone, rowHeightPx, noValue, hasFilterRow, headOf, label } = props
  const host = useRef<HTMLDivElement>(null)
  const api = useRef<GridApi<GridRow>>(null)
  const { onCount, onTrouble, onReady } = props
  const columns = useMemo(
    () => columnsOf(result, zone, noValue, hasFilterRow, rowHeightPx, headOf),
    [result, zone, noValue, hasFilterRow, rowHeightPx, headOf],
  )
  const source = useMemo(() => sourceOf(result, zone, onCount, onTrouble), [result, zone, onCount, onTrouble])
  useEffect(() => {
    host.current?.querySelector('[role=grid]')?.setAttribute('aria-label', label)
  }, [label])

  return (
    <div
      ref={host}
      className="result-grid"
      onCopy={event => {
        const rows = pickedOf(api.current)
        if (rows.length === 0 || !window.getSelection()?.isCollapsed) return
        event.clipboardData.setData('text/plain', csvText(shownColumns(api.current), rows))
        event.preventDefault()
      }}
    >
      <AgGridReact<GridRow>
        theme={gridTheme}
        styleNonce={pageNonce()}
        rowModelType="infinite"
        columnDefs={columns}
        datasource={source}
        rowHeight={rowHeightPx}
        headerHeight={24}
        floatingFiltersHeight={28}
        cacheBlockSize={BLOCK_ROWS}
        maxBlocksInCache={BLOCKS}
        blockLoadDebounceMillis={JUMP_SETTLE_MS}
        rowBuffer={5}
        animateRows={false}
        suppressColumnMoveAnimation
        suppressDragLeaveHidesColumns
        enableCellTextSelection
        ensureDomOrder
        rowSelection={{ mode: 'multiRow', checkboxes: false, headerCheckbox: false, enableClickSelection: true }}
        popupParent={document.body}
        onGridReady={event => {
          api.current = event.api
          host.current?.querySelector('[role=grid]')?.setAttribute('aria-label', label)
          onReady(handleOf(event.api, result, zone))
        }}
      />
    </div>
  )
}

function columnsOf(
  result: HeldResult,
  zone: Zone,
  noValue: string,
  hasFilterRow: boolean,
  rowHeightPx: number,
  headOf: ResultGridProps['headOf'],
): ColDef<GridRow>[] {
  const text = createCellText(zone, noValue)
  return result.columns.map(column => ({
    colId: column.name,
    headerName: headOf?.[column.name] ?? column.name,
    width: columnWidthPx(column, rowHeightPx),
    sortable: true,
    resizable: true,
    filter: 'agTextColumnFilter',
    filterParams: { filterOptions: filterOptionsOf(column), maxNumConditions: 1, debounceMs: 300, caseSensitive: true },
    floatingFilter: hasFilterRow,
    suppressHeaderMenuButton: true,
    suppressHeaderFilterButton: true,
    cellClass: isRightAligned(column) ? 'number' : undefined,
    headerClass: isRightAligned(column) ? 'number' : undefined,
    valueGetter: ({ data }) => (data ? text(column.name, data) : ''),
  }))
}

function sourceOf(
  result: HeldResult,
  zone: Zone,
  onCount: ResultGridProps['onCount'],
  onTrouble: ResultGridProps['onTrouble'],
): IDatasource {
  return {
    getRows(ask: IGetRowsParams) {
      const { startRow, endRow, sortModel } = ask
      const { filter, problem } = conditionsOf(
        ask.filterModel as Record<string, TypedFilter>,
        result.columns,
        zone,
        result.openedAtMs * 1000,
      )
      result.window(startRow, endRow - startRow, sortOf(sortModel), filter).then(
        ({ rows, row_count }) => {
          const places = Array.from({ length: rows.rowCount }, (_, row): GridRow => ({ batch: rows, row }))
          ask.successCallback(places, row_count)
          onTrouble(problem)
          onCount(row_count, filter.length > 0)
        },
        (failure: Error) => {
          ask.failCallback()
          onTrouble(failure.message)
        },
      )
    },
  }
}

function handleOf(api: GridApi<GridRow>, result: HeldResult, zone: Zone): GridHandle {
  return {
    picked: () => pickedOf(api),
    columns: () => shownColumns(api),
    order: () => ({
      sort: sortOf(
        api
          .getColumnState()
          .filter(({ sort }) => sort)
          .sort((a, b) => (a.sortIndex ?? 0) - (b.sortIndex ?? 0))
          .map(({ colId, sort }) => ({ colId, sort: sort! })),
      ),
      filter: conditionsOf(api.getFilterModel(), result.columns, zone, 0).filter,
    }),
    clearFilter: () => api.setFilterModel(null),
  }
}

function pickedOf(api: GridApi<GridRow> | null): GridRow[] {
  const nodes = api?.getSelectedNodes() ?? []
  return nodes
    .filter(({ data }) => data)
    .sort((a, b) => (a.rowIndex ?? 0) - (b.rowIndex ?? 0))
    .map(({ data }) => data!)
}

function shownColumns(api: GridApi<GridRow> | null): string[] {
  return api?.getAllDisplayedColumns().map(column => column.getColId()) ?? []
}

/** The page's policy lets in no style without it. */
function pageNonce(): string | undefined {
  return document.querySelector<HTMLElement>('meta[property=csp-nonce]')?.nonce
}
