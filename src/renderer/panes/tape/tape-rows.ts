// Paints the tape's rows from the ring, the newest at every turn.
import type { Workspace } from '../../stores/workspace.ts'
import { DOWN, UP } from '../../stores/instruments.ts'
import { heldRows, slotOf, unscaledAt } from '../../stores/ring.ts'
import { createTimeOrder } from '../../stores/time-order.ts'
import { conditionTexts, sideText, type TradeRing } from '../../stores/trades.ts'
import { groupedDecimal } from '../../ui/decimal-text.ts'
import { onTurn } from '../../ui/frame-loop.ts'
import { createRowWindow, EMPTY_ROW, longMark } from '../../ui/row-window.ts'
import { timeOfDay, type Zone } from '../../ui/zone-time.ts'

const CELLS = ['time', 'symbol', 'venue', 'number price', 'direction', 'number', 'side', 'conditions']

/** Of the newest rows while they run: those that are seen are among them. */
const LOOKED_AT = 1024

/** After rows were painted, for whoever measures: their age since they came into the tail, and how many have come in all. */
export const PAINTED = 'k2:painted'
export interface Painted {
  newestAtMs: number
  received: number
}

export function mountTape(scroller: HTMLElement, workspace: Workspace, zone: Zone, rowHeightPx: number): () => void {
  const { tape, instruments, moment } = workspace
  const slotsByTime = createTimeOrder()
  let stale = true
  const rows = createRowWindow(scroller, {
    cells: CELLS,
    rowRole: 'row',
    cellRole: 'cell',
    rowHeightPx,
    repaint: () => {
      stale = true
      paint()
    },
  })
  /** Instrument of each painted row, for clicks. */
  const painted: number[] = []
  let pointed = -1
  let shownRing: TradeRing | undefined
  let shownEnd = -1
  let shownFirst = -1

  function paint(): void {
    const feed = tape.feed()
    const held = tape.state.getState().held ?? (moment.state.getState().mode === 'as_of' ? feed.ring : undefined)
    const ring = held ?? feed.ring
    const count = heldRows(ring)
    rows.setCount(held ? count : 0)
    const first = held ? rows.first() : 0
    if (!stale && ring === shownRing && ring.end === shownEnd && first === shownFirst) return
    stale = false
    shownRing = ring
    shownEnd = ring.end
    shownFirst = first
    const slots = isByTime() ? slotsByTime(ring, held ? count : LOOKED_AT) : undefined
    // A row that would be cut by the pane's edge is left out while it cannot be scrolled to.
    const wanted = held ? rows.visible() : rows.whole()
    for (let row = 0; row < rows.visible(); row++) {
      const back = first + row
      if (row < wanted && back < count) paintRow(row, ring, slots?.[back] ?? slotOf(ring, ring.end - 1 - back))
      else rows.mark(row, EMPTY_ROW)
    }
    if (!held && ring.end > 0) {
      const detail: Painted = { newestAtMs: feed.newestAtMs, received: feed.received }
      scroller.dispatchEvent(new CustomEvent(PAINTED, { detail, bubbles: true }))
    }
  }

  function isByTime(): boolean {
    return tape.state.getState().order === 'time' && moment.state.getState().mode === 'live'
  }

  function paintRow(row: number, ring: TradeRing, slot: number): void {
    const instrument = instruments.all[ring.codes.instrument[slot]]
    const direction = ring.codes.direction[slot]
    const conditions = conditionTexts[ring.codes.conditions[slot]]
    const { price, quantity } = ring.decimals
    painted[row] = instrument.id
    rows.text(row, 0, timeOfDay(ring.time[slot], zone, row === pointed ? 'microsecond' : 'millisecond'))
    rows.text(row, 1, instrument.symbol)
    rows.text(row, 2, instrument.exchange)
    rows.text(row, 3, decimalText(price, slot, instrument.decimals))
    rows.text(row, 4, direction === UP ? '▲' : direction === DOWN ? '▼' : '')
    rows.text(row, 5, decimalText(quantity, slot, 0))
    rows.text(row, 6, sideText(ring.codes.side[slot]))
    rows.text(row, 7, conditions)
    const colour = direction === UP ? 'up' : direction === DOWN ? 'down' : 'same'
    rows.mark(row, colour + longMark(instrument.symbol, instrument.exchange, conditions))
  }

  function decimalText(column: TradeRing['decimals']['price'], slot: number, decimals: number): string {
    const value = unscaledAt(column, slot)
    return value === null ? '' : groupedDecimal(value, column.scale[slot], decimals)
  }

  // Rows move on between press and release: what was under the pointer at the press is meant.
  let pressed = -1
  const listeners: Partial<Record<keyof HTMLElementEventMap, (event: Event) => void>> = {
    pointermove: event => point(rows.rowOf(event.target)),
    pointerleave: () => point(-1),
    pointerdown: event => {
      const onSymbol = event.target instanceof Element && event.target.matches('.symbol')
      pressed = onSymbol ? painted[rows.rowOf(event.target)] : -1
    },
    click: () => {
      if (pressed < 0) return
      workspace.select(instruments.all[pressed])
      tape.show('one')
    },
    wheel: event => {
      if ((event as WheelEvent).deltaY > 0) holdToScroll()
    },
    keydown: event => {
      if (['ArrowDown', 'PageDown', 'End'].includes((event as KeyboardEvent).key)) holdToScroll()
    },
  }
  function point(row: number): void {
    if (row === pointed) return
    pointed = row
    stale = true
  }
  /** Who scrolls back wants the rows to stay where they are. */
  function holdToScroll(): void {
    if (tape.state.getState().held || moment.state.getState().mode !== 'live') return
    tape.hold()
    paint()
  }

  for (const [name, listen] of Object.entries(listeners)) scroller.addEventListener(name, listen, { passive: true })
  const end = onTurn(1, paint)
  const unsubscribe = tape.state.subscribe(() => (stale = true))
  return () => {
    end()
    unsubscribe()
    for (const [name, listen] of Object.entries(listeners)) scroller.removeEventListener(name, listen)
    rows.close()
  }
}
