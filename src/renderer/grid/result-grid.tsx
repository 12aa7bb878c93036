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
import { useEffect, useMemo, useRef, useState, type RefObject } from 'react'
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
  /** Another one of the same columns takes its place where the grid stands, with the same sort and filter. */
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
  /** Told again, without a handle, when the grid goes. */
  onReady: (handle: GridHandle | undefined) => void
}

export function ResultGrid(props: ResultGridProps) {
  const { result, zone, rowHeightPx, noValue, hasFilterRow, headOf, label } = props
  const host = useRef<HTMLDivElement>(null)
  const [api, setApi] = useState<GridApi<GridRow>>()
  const { onCount, onTrouble, onReady } = props
  const [held] = useState(result.columns)
  const columns = useMemo(
    () => columnsOf(held, zone, noValue, hasFilterRow, rowHeightPx, headOf),
    [held, zone, noValue, hasFilterRow, rowHeightPx, headOf],
  )
  const current = useRef(result)
  const shownZone = useRef(zone)
  useEffect(() => {
    shownZone.current = zone
    api?.setGridOption('datasource', sourceOf(current, shownZone, onCount, onTrouble))
  }, [api, zone, onCount, onTrouble])
  useEffect(() => {
    if (!api) return
    onReady(handleOf(api, current, shownZone))
    return () => onReady(undefined)
  }, [api, onReady])
  useEffect(() => {
    if (current.current === result) return
    current.current = result
    // Other rows stand in these places now.
    api?.deselectAll()
    api?.refreshInfiniteCache()
  }, [api, result])
  useEffect(() => {
    host.current?.querySelector('[role=grid]')?.setAttribute('aria-label', label)
  }, [label])

  return (
    <div
      ref={host}
      className="result-grid"
      onCopy={event => {
        const rows = pickedOf(api)
        if (rows.length === 0 || !window.getSelection()?.isCollapsed) return
        event.clipboardData.setData('text/plain', csvText(shownColumns(api), rows))
        event.preventDefault()
      }}
    >
      <AgGridReact<GridRow>
        theme={gridTheme}
        styleNonce={pageNonce()}
        rowModelType="infinite"
        columnDefs={columns}
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
          setApi(event.api)
          host.current?.querySelector('[role=grid]')?.setAttribute('aria-label', label)
        }}
      />
    </div>
  )
}

function columnsOf(
  columns: HeldResult['columns'],
  zone: Zone,
  noValue: string,
  hasFilterRow: boolean,
  rowHeightPx: number,
  headOf: ResultGridProps['headOf'],
): ColDef<GridRow>[] {
  const text = createCellText(zone, noValue)
  return columns.map(column => ({
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
  current: RefObject<HeldResult>,
  zone: RefObject<Zone>,
  onCount: ResultGridProps['onCount'],
  onTrouble: ResultGridProps['onTrouble'],
): IDatasource {
  return {
    getRows(ask: IGetRowsParams) {
      const { startRow, endRow, sortModel } = ask
      const result = current.current
      const { filter, problem } = typedConditions(ask.filterModel as Record<string, TypedFilter>, result, zone.current)
      result.window(startRow, endRow - startRow, sortOf(sortModel), filter).then(
        ({ rows, row_count }) => {
          const places = Array.from({ length: rows.rowCount }, (_, row): GridRow => ({ batch: rows, row }))
          ask.successCallback(places, row_count)
          onTrouble(problem)
          onCount(row_count, filter.length > 0)
        },
        (failure: Error) => {
          ask.failCallback()
          if (result === current.current) onTrouble(failure.message)
        },
      )
    },
  }
}

function typedConditions(model: Record<string, TypedFilter>, { columns, openedAtMs }: HeldResult, zone: Zone) {
  return conditionsOf(model, columns, zone, openedAtMs * 1000)
}

function handleOf(api: GridApi<GridRow>, current: RefObject<HeldResult>, zone: RefObject<Zone>): GridHandle {
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
      filter: typedConditions(api.getFilterModel(), current.current, zone.current).filter,
    }),
    clearFilter: () => api.setFilterModel(null),
  }
}

function pickedOf(api: GridApi<GridRow> | undefined): GridRow[] {
  const nodes = api?.getSelectedNodes() ?? []
  return nodes
    .filter(({ data }) => data)
    .sort((a, b) => (a.rowIndex ?? 0) - (b.rowIndex ?? 0))
    .map(({ data }) => data!)
}

function shownColumns(api: GridApi<GridRow> | undefined): string[] {
  return api?.getAllDisplayedColumns().map(column => column.getColId()) ?? []
}

/** The page's policy lets in no style without it. */
function pageNonce(): string | undefined {
  return document.querySelector<HTMLElement>('meta[property=csp-nonce]')?.nonce
}
