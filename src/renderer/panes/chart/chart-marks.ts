// What lies over the candles: the lines of the crosshair with their prices and times, the line of the last price, the
// text of the bar that is pointed at. Elements that are moved, so that the candles need not be drawn again.
import { bandPx, priceAt, xOf, yOf, type CandleView } from '../../chart/candle-view.ts'
import { asNumber } from '../../stores/bar-columns.ts'
import type { Interval } from '../../stores/bar-interval.ts'
import { groupedDecimal } from '../../ui/decimal-text.ts'
import { dateOf, timeOfDay, type Zone } from '../../ui/zone-time.ts'
import { barText, type BarText } from './bar-text.ts'

export interface Pointed {
  /** Of the bars in view. */
  bar: number
  /** Where a pointer is; none for the keyboard, whose price is the close. */
  x?: number
  y?: number
}

export interface MarksOf {
  view: CandleView
  pointed: Pointed | undefined
  last: { unscaled: number | bigint; scale: number; direction: 'up' | 'down' | 'same' } | undefined
  decimals: number
  interval: Interval
  zone: Zone
}

/** `root` holds an element for each `data-mark` and `data-bar`. */
export function createMarks(root: HTMLElement): (marks: MarksOf) => void {
  const mark = (name: string) => root.querySelector<HTMLElement>(`[data-mark=${name}]`)!
  const [across, along, price, time, lastLine, lastPrice, legend] = [
    'across',
    'along',
    'price',
    'time',
    'last-line',
    'last-price',
    'legend',
  ].map(mark)
  const cells = new Map([...legend.querySelectorAll<HTMLElement>('[data-bar]')].map(cell => [cell.dataset.bar!, cell]))

  function paintPointed({ view, pointed, decimals, interval, zone }: MarksOf): void {
    for (const element of [across, along, price, time]) element.hidden = !pointed
    if (!pointed) return
    const { plot, bars } = view
    const x = xOf(view, pointed.bar)
    const close = asNumber(bars.close[pointed.bar])
    const isOnPrices = pointed.y === undefined || (pointed.y >= plot.top && pointed.y <= plot.priceBottom)
    const y = pointed.y ?? yOf(view, close)
    along.style.transform = `translateX(${Math.round(x)}px)`
    along.style.height = `${plot.bottom}px`
    across.hidden = price.hidden = !isOnPrices
    across.style.transform = `translateY(${Math.round(y)}px)`
    across.style.width = `${plot.right}px`
    price.style.transform = `translate(${plot.right}px, ${Math.round(y) - 9}px)`
    setText(price, (pointed.y === undefined ? close : priceAt(view, y)).toFixed(decimals))
    setText(time, axisTime(bars.start[pointed.bar], interval, zone))
    const half = time.offsetWidth / 2
    time.style.transform = `translate(${Math.min(plot.right - 2 * half, Math.max(0, Math.round(x - half)))}px, ${plot.bottom + 2}px)`
  }

  function paintLast({ view, last, decimals }: MarksOf): void {
    const value = last && Number(last.unscaled) / 10 ** last.scale
    const isInside = value !== undefined && value >= view.price.min && value <= view.price.max
    lastLine.hidden = lastPrice.hidden = !isInside
    if (!isInside) return
    const y = Math.round(yOf(view, value))
    lastLine.style.transform = `translateY(${y}px)`
    lastLine.style.width = `${view.plot.right}px`
    lastPrice.style.transform = `translate(${view.plot.right}px, ${y - 9}px)`
    lastLine.dataset.direction = lastPrice.dataset.direction = last!.direction
    setText(lastPrice, groupedDecimal(last!.unscaled, last!.scale, decimals))
  }

  function paintLegend({ view, pointed, decimals, interval, zone }: MarksOf): void {
    const { bars } = view
    legend.hidden = bars.start.length === 0
    if (legend.hidden) return
    const text = barText(bars, pointed?.bar ?? bars.start.length - 1, decimals, interval, zone)
    legend.dataset.direction = text.direction
    for (const [name, cell] of cells) setText(cell, text[name as keyof BarText])
  }

  return marks => {
    paintPointed(marks)
    paintLast(marks)
    paintLegend(marks)
    root.style.setProperty('--band', `${bandPx(marks.view)}px`)
  }
}

function axisTime(micros: number, interval: Interval, zone: Zone): string {
  const date = dateOf(micros, zone)
  return interval === '1d' ? date : `${date} ${timeOfDay(micros, zone, 'minute')}`
}

function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text
}
