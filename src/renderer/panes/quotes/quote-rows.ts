// Paints the top of the book and the recent quotes from the ring, at every other turn.
import { heldRows, slotOf, unscaledAt, type Decimals } from '../../stores/ring.ts'
import type { QuoteFeed } from '../../stores/quotes.ts'
import { groupedDecimal } from '../../ui/decimal-text.ts'
import { onTurn } from '../../ui/frame-loop.ts'
import { createRowWindow, EMPTY_ROW } from '../../ui/row-window.ts'
import { timeOfDay, type Zone } from '../../ui/zone-time.ts'
import { bidShare, spreadAt } from './spread.ts'

const CELLS = ['time', 'number', 'number bid', 'number ask', 'number', 'number spread']

export function mountQuotes(
  top: HTMLElement,
  scroller: HTMLElement,
  feed: QuoteFeed,
  zone: Zone,
  rowHeightPx: number,
): () => void {
  const { ring } = feed
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
  const cells = new Map([...top.querySelectorAll<HTMLElement>('[data-cell]')].map(cell => [cell.dataset.cell, cell]))
  let pointed = -1
  let shownEnd = -1

  function paint(): void {
    if (!stale && ring.end === shownEnd) return
    stale = false
    shownEnd = ring.end
    if (ring.end > 0) paintTop(slotOf(ring, ring.end - 1))
    const wanted = Math.min(rows.whole(), heldRows(ring))
    for (let row = 0; row < rows.visible(); row++) {
      if (row < wanted) paintRow(row, slotOf(ring, ring.end - 1 - row))
      else rows.mark(row, EMPTY_ROW)
    }
  }

  function paintTop(slot: number): void {
    const { bid_price, bid_quantity, ask_price, ask_quantity } = ring.decimals
    const { ticks, price, middle } = spreadAt(ring, slot, feed)
    set('bid', decimalText(bid_price, slot, feed.decimals) || 'no bid')
    set('ask', decimalText(ask_price, slot, feed.decimals) || 'no ask')
    set('bidQuantity', decimalText(bid_quantity, slot, 0))
    set('askQuantity', decimalText(ask_quantity, slot, 0))
    set('ticks', ticks || price)
    set('middle', middle && `mid ${middle}`)
    cells.get('balance')!.style.setProperty('--bid-share', `${Math.round(bidShare(ring, slot) * 100)}%`)
  }

  function paintRow(row: number, slot: number): void {
    const { bid_price, bid_quantity, ask_price, ask_quantity } = ring.decimals
    rows.text(row, 0, timeOfDay(ring.time[slot], zone, row === pointed ? 'microsecond' : 'millisecond'))
    rows.text(row, 1, decimalText(bid_quantity, slot, 0))
    rows.text(row, 2, decimalText(bid_price, slot, feed.decimals) || '–')
    rows.text(row, 3, decimalText(ask_price, slot, feed.decimals) || '–')
    rows.text(row, 4, decimalText(ask_quantity, slot, 0))
    rows.text(row, 5, spreadAt(ring, slot, feed).ticks)
    rows.mark(row, 'quote')
  }

  function set(name: string, text: string): void {
    const cell = cells.get(name)!
    if (cell.textContent !== text) cell.textContent = text
  }

  const point = (event: Event) => {
    const row = event.type === 'pointerleave' ? -1 : rows.rowOf(event.target)
    if (row === pointed) return
    pointed = row
    stale = true
  }
  scroller.addEventListener('pointermove', point)
  scroller.addEventListener('pointerleave', point)
  const end = onTurn(2, paint)
  return () => {
    end()
    scroller.removeEventListener('pointermove', point)
    scroller.removeEventListener('pointerleave', point)
    rows.close()
  }
}

function decimalText(column: Decimals, slot: number, decimals: number): string {
  const value = unscaledAt(column, slot)
  return value === null ? '' : groupedDecimal(value, column.scale[slot], decimals)
}
