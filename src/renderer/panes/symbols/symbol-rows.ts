// Paints the symbol list and walks it by keyboard; only the rows in sight exist.
import { DOWN, UP, type Instrument } from '../../stores/instruments.ts'
import type { Workspace } from '../../stores/workspace.ts'
import { grouped, groupedDecimal, rateText } from '../../ui/decimal-text.ts'
import { onTurn } from '../../ui/frame-loop.ts'
import { createRowWindow, EMPTY_ROW, longMark } from '../../ui/row-window.ts'
import { orderSymbols } from './order-symbols.ts'

const ORDER_EVERY_MS = 1000
const CELLS = ['symbol', 'venue', 'number price', 'direction', 'number activity']
/** Walking with a held key must not open a stream for every symbol on the way. */
const SETTLE_MS = 120

export function mountSymbols(
  scroller: HTMLElement,
  workspace: Workspace,
  rowHeightPx: number,
  onCounts: (shown: number, all: number) => void,
): () => void {
  const { instruments, settings, filter, focus, tape, moment } = workspace
  const rows = createRowWindow(scroller, {
    cells: CELLS,
    rowRole: 'option',
    cellRole: 'presentation',
    rowHeightPx,
    repaint: () => paint(performance.now()),
  })
  let list: Instrument[] = []
  let orderedAtMs = -Infinity
  /** Where the keyboard is; ahead of the selection while a key is held. */
  let cursor: Instrument | undefined
  let settle: ReturnType<typeof setTimeout> | undefined
  let busiest = 1
  const bars: number[] = []

  function paint(nowMs: number): void {
    if (nowMs - orderedAtMs > ORDER_EVERY_MS) orderNow(nowMs)
    rows.setCount(list.length)
    const first = rows.first()
    const current = cursor ?? focus.getState().instrument
    let active = ''
    for (let row = 0; row < rows.visible(); row++) {
      const instrument = list.at(first + row)
      if (!instrument || first + row >= list.length) {
        rows.mark(row, EMPTY_ROW)
        continue
      }
      paintRow(row, first + row, instrument, instrument === current)
      if (instrument === current) active = rows.row(row).id
    }
    if (scroller.getAttribute('aria-activedescendant') !== active) {
      if (active) scroller.setAttribute('aria-activedescendant', active)
      else scroller.removeAttribute('aria-activedescendant')
    }
  }

  function orderNow(nowMs: number): void {
    orderedAtMs = nowMs
    list = orderSymbols(instruments.all, filter.getState().text, settings.getState().order)
    busiest = instruments.all.reduce((most, { tradesPerSecond }) => Math.max(most, tradesPerSecond), 1)
    onCounts(list.length, instruments.all.length)
  }

  function paintRow(row: number, index: number, instrument: Instrument, isCurrent: boolean): void {
    const { symbol, exchange, last, lastScale, decimals, direction, tradesPerSecond } = instrument
    rows.text(row, 0, symbol)
    rows.text(row, 1, exchange)
    // Prices of now never stand under a moment of the past; how often it had traded by then does.
    const isLive = moment.state.getState().mode === 'live'
    const shown = isLive ? direction : 0
    rows.text(row, 2, last === null || !isLive ? '' : groupedDecimal(last, lastScale, decimals))
    rows.text(row, 3, shown === UP ? '▲' : shown === DOWN ? '▼' : '')
    rows.text(row, 4, isLive ? (last === null ? '' : rateText(tradesPerSecond)) : countText(instrument.tradesThen))
    const colour = shown === UP ? 'up' : shown === DOWN ? 'down' : 'same'
    rows.mark(row, colour + longMark(symbol, exchange) + (isCurrent ? ' current' : ''))
    const bar = isLive ? Math.round(Math.sqrt(tradesPerSecond / busiest) * 100) : 0
    if (bars[row] !== bar) rows.row(row).style.setProperty('--activity', `${(bars[row] = bar)}%`)
    const element = rows.row(row)
    if (element.id === '') element.id = `symbol-row-${row}`
    setAttribute(element, 'aria-selected', String(isCurrent))
    setAttribute(element, 'aria-posinset', String(index + 1))
    setAttribute(element, 'aria-setsize', String(list.length))
  }

  function walk(to: number): void {
    if (list.length === 0) return
    const index = Math.max(0, Math.min(list.length - 1, to))
    cursor = list[index]
    rows.reveal(index)
    paint(performance.now())
    clearTimeout(settle)
    settle = setTimeout(() => {
      if (cursor) workspace.select(cursor)
      cursor = undefined
    }, SETTLE_MS)
  }

  /** Once: this symbol's tape only; again: all. */
  function pick(instrument: Instrument | undefined): void {
    if (!instrument) return
    const isShown = tape.state.getState().scope === 'one' && focus.getState().instrument === instrument
    clearTimeout(settle)
    cursor = undefined
    workspace.select(instrument)
    tape.show(isShown ? 'all' : 'one')
  }

  const listenKey = (event: KeyboardEvent) => {
    const at = list.indexOf((cursor ?? focus.getState().instrument)!)
    const page = Math.max(1, rows.visible() - 2)
    const steps: Record<string, () => void> = {
      ArrowDown: () => walk(at + 1),
      ArrowUp: () => walk(at - 1),
      PageDown: () => walk(at + page),
      PageUp: () => walk(at - page),
      End: () => walk(list.length - 1),
      Enter: () => pick(list[Math.max(0, at)]),
    }
    const step = steps[event.key]
    if (!step || event.metaKey || event.ctrlKey || event.altKey) return
    event.preventDefault()
    step()
  }
  const listenClick = (event: MouseEvent) => {
    const row = rows.rowOf(event.target)
    if (row >= 0) pick(list.at(rows.first() + row))
  }

  scroller.addEventListener('keydown', listenKey)
  scroller.addEventListener('click', listenClick)
  const orderSoon = () => (orderedAtMs = -Infinity)
  const ends = [onTurn(2, paint), settings.subscribe(orderSoon), filter.subscribe(orderSoon)]
  return () => {
    clearTimeout(settle)
    for (const end of ends) end()
    scroller.removeEventListener('keydown', listenKey)
    scroller.removeEventListener('click', listenClick)
    rows.close()
  }
}

function countText(trades: number | undefined): string {
  return trades === undefined ? '' : grouped(trades)
}

function setAttribute(element: HTMLElement, name: string, value: string): void {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value)
}
