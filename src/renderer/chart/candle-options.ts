// A view of candles as ECharts wants it: candles and VWAP above, volume below, no motion, nothing that answers the mouse.
import type { EChartsCoreOption } from 'echarts/core'
import { asNumber, type Bars } from '../stores/bar-columns.ts'
import { grouped } from '../ui/decimal-text.ts'
import type { CandleView } from './candle-view.ts'
import { shortCount } from './price-scale.ts'

export interface CandleColours {
  up: string
  down: string
  panel: string
  line: string
  text: string
  strongText: string
  vwap: string
  volume: string
  font: string
}

type Cell = number | '-'

export function candleOptions(view: CandleView, colours: CandleColours): EChartsCoreOption {
  const { plot, price, volumeMax, slots } = view
  const places = Array.from({ length: slots }, (_, slot) => slot)
  const text = { color: colours.text, fontFamily: colours.font, fontSize: 11 }
  const grid = { left: 0, width: plot.right, containLabel: false }
  const xAxis = { type: 'category', data: places, axisTick: { show: false }, axisLine: { show: false } }
  const yAxis = { type: 'value', position: 'right', axisLine: { show: false }, axisTick: { show: false } }
  return {
    animation: false,
    textStyle: text,
    grid: [
      { ...grid, top: plot.top, height: plot.priceBottom - plot.top },
      { ...grid, top: plot.volumeTop, height: plot.bottom - plot.volumeTop },
    ],
    xAxis: [
      { ...xAxis, gridIndex: 0, axisLabel: { show: false }, splitLine: dayLines(view, colours) },
      {
        ...xAxis,
        gridIndex: 1,
        axisLine: { show: true, lineStyle: { color: colours.line } },
        splitLine: dayLines(view, colours),
        axisLabel: timeLabels(view, colours),
      },
    ],
    yAxis: [
      {
        ...yAxis,
        gridIndex: 0,
        min: price.min,
        max: price.max,
        interval: price.step,
        splitLine: { lineStyle: { color: colours.line, opacity: 0.6 } },
        axisLabel: { ...text, formatter: (value: number) => scaleText(value, price.decimals) },
      },
      {
        ...yAxis,
        gridIndex: 1,
        min: 0,
        max: volumeMax * 1.05,
        interval: volumeMax,
        splitLine: { show: false },
        axisLabel: { ...text, formatter: (value: number) => (value === volumeMax ? shortCount(value) : '') },
      },
    ],
    series: [candles(view, colours), ...vwapLines(view, colours), volumes(view, colours)],
  }
}

function candles({ bars, firstSlot }: CandleView, { up, down, panel }: CandleColours) {
  // Rising ones are hollow: told apart without colour too.
  const itemStyle = { color: panel, borderColor: up, color0: down, borderColor0: down, borderColorDoji: up }
  const [open, high, low, close] = [bars.open, bars.high, bars.low, bars.close].map(column => column.map(cell))
  const data = open.map((value, at) => [value, close[at], low[at], high[at]])
  return {
    type: 'candlestick',
    silent: true,
    itemStyle,
    barMaxWidth: 16,
    barMinWidth: 1,
    data: atSlots(data, firstSlot),
  }
}

/** One line for every other day, so that no line leads from one day to the next. */
function vwapLines({ bars, firstSlot, days }: CandleView, { vwap }: CandleColours) {
  return [0, 1].map(turn => ({
    type: 'line',
    silent: true,
    showSymbol: false,
    lineStyle: { color: vwap, width: 1.25 },
    data: atSlots(
      bars.vwap.map((value, bar) => (days[bar] % 2 === turn ? cell(value) : '-')),
      firstSlot,
    ),
  }))
}

function volumes({ bars, firstSlot }: CandleView, { volume }: CandleColours) {
  const style = { type: 'bar', silent: true, xAxisIndex: 1, yAxisIndex: 1, itemStyle: { color: volume } }
  return { ...style, barMaxWidth: 16, barCategoryGap: '35%', data: atSlots(bars.volume.map(cell), firstSlot) }
}

function atSlots<T>(data: readonly T[], firstSlot: number): (T | Cell)[] {
  return [...Array.from({ length: Math.max(0, firstSlot) }, (): Cell => '-'), ...data]
}

const cell = (value: Bars['open'][number]): Cell => (value === null ? '-' : asNumber(value))

function dayLines({ marks, firstSlot }: CandleView, { line }: CandleColours) {
  const breaks = new Set(marks.filter(mark => mark.isBreak).map(({ index }) => index + firstSlot))
  const interval = (slot: number) => breaks.has(slot)
  return { show: breaks.size > 0, interval, lineStyle: { color: line, type: 'solid' } }
}

function timeLabels({ marks, firstSlot }: CandleView, { text, strongText, font }: CandleColours) {
  const bySlot = new Map(marks.map(mark => [mark.index + firstSlot, mark]))
  return {
    color: text,
    fontFamily: font,
    fontSize: 11,
    margin: 7,
    hideOverlap: false,
    interval: (slot: number) => bySlot.has(slot),
    formatter: (slot: string) => {
      const mark = bySlot.get(Number(slot))
      return mark ? `{${mark.isBreak ? 'day' : 'time'}|${mark.label}}` : ''
    },
    rich: { day: { color: strongText, fontWeight: 600 }, time: { color: text } },
  }
}

/** Of a round number, which a double gives as it is. */
function scaleText(value: number, decimals: number): string {
  const [whole, fraction] = Math.abs(value).toFixed(decimals).split('.')
  return (value < 0 ? '−' : '') + grouped(Number(whole)) + (fraction ? `.${fraction}` : '')
}
