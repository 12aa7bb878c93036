// Draws candles with ECharts: the only place that knows it, in a part of the page that is loaded when a chart is shown.
import { BarChart, CandlestickChart, LineChart } from 'echarts/charts'
import { GridComponent } from 'echarts/components'
import { init, use as register } from 'echarts/core'
import { CanvasRenderer } from 'echarts/renderers'
import { candleOptions, type CandleColours } from './candle-options.ts'
import type { CandleView } from './candle-view.ts'

register([BarChart, CandlestickChart, LineChart, GridComponent, CanvasRenderer])

export interface Candles {
  draw: (view: CandleView, colours: CandleColours) => void
  resize: () => void
  close: () => void
}

export function openCandles(element: HTMLElement): Candles {
  const chart = init(element, undefined, { renderer: 'canvas' })
  return {
    // Merged into what is there: axes and series keep their places, so nothing is built anew.
    draw: (view, colours) => chart.setOption(candleOptions(view, colours), { lazyUpdate: false }),
    resize: () => chart.resize(),
    close: () => chart.dispose(),
  }
}
