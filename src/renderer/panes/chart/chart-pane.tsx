// The chart: candles of the selected instrument.
import { Pane } from '../../ui/pane.tsx'

export function ChartPane() {
  return (
    <Pane name="chart" title="Chart">
      <p className="pane-note" tabIndex={0} data-home>
        Candles come with the next version.
      </p>
    </Pane>
  )
}
