// The grid in the page's own look: its colours are the page's tokens, so themes need no second list.
import { themeQuartz } from 'ag-grid-community'
import type { HeldColumn } from '../stores/held-result.ts'

export const gridTheme = themeQuartz.withParams({
  fontFamily: 'inherit',
  fontSize: 12,
  headerFontSize: 11,
  headerFontWeight: 400,
  headerHeight: 24,
  spacing: 4,
  iconSize: 12,
  cellHorizontalPadding: 8,
  borderRadius: 4,
  wrapperBorderRadius: 0,
  wrapperBorder: false,
  backgroundColor: 'var(--panel)',
  foregroundColor: 'var(--text)',
  textColor: 'var(--text)',
  accentColor: 'var(--accent)',
  borderColor: 'var(--line)',
  chromeBackgroundColor: 'var(--panel)',
  headerBackgroundColor: 'var(--panel)',
  headerTextColor: 'var(--text-dim)',
  oddRowBackgroundColor: 'var(--panel)',
  rowHoverColor: 'var(--hover)',
  selectedRowBackgroundColor: 'var(--selected)',
  rowBorder: false,
  headerRowBorder: { color: 'var(--line)' },
  headerColumnResizeHandleColor: 'var(--line)',
  inputBackgroundColor: 'var(--ground)',
  inputBorder: { color: 'var(--line)' },
  inputFocusBorder: { color: 'var(--focus)' },
  inputFocusShadow: 'none',
  inputHeight: 22,
  menuBackgroundColor: 'var(--raised)',
  menuShadow: 'none',
  menuBorder: { color: 'var(--line-strong)' },
  popupShadow: 'none',
  dropdownShadow: 'none',
  focusShadow: 'inset 0 0 0 2px var(--focus)',
  browserColorScheme: 'inherit',
})

/** Wide enough for what such a column holds; of others than these, for its name and a little more. */
const WIDTHS: Partial<Record<HeldColumn['type'], number>> = {
  timestamp: 188,
  date: 88,
  decimal: 104,
  long: 96,
  int: 80,
  boolean: 72,
  double: 136,
  list: 120,
  map: 200,
}
const KNOWN: Record<string, number> = {
  symbol: 88,
  exchange: 80,
  side: 88,
  currency: 72,
  message_id: 272,
  trade_id: 112,
  quote_id: 112,
  _partition: 80,
  _offset: 88,
}
const LETTER_PX = 6.4
const HEAD_ROOM_PX = 44

export function columnWidthPx({ name, type }: HeldColumn, rowHeightPx: number): number {
  const ofName = Math.min(240, Math.ceil(name.length * LETTER_PX) + HEAD_ROOM_PX)
  const width = Math.max(KNOWN[name] ?? WIDTHS[type] ?? 112, ofName)
  return rowHeightPx > 24 ? Math.ceil(width * 1.1) : width
}
