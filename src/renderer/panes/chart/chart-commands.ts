// What one can do with the chart, for the palette and the keys.
import { INTERVALS, type IntervalChoice } from '../../stores/bar-interval.ts'
import type { Workspace } from '../../stores/workspace.ts'
import type { Command } from '../../ui/commands.ts'

const WORDS: Record<IntervalChoice, string> = {
  auto: 'Bars as they fit',
  '1m': 'Bars of a minute',
  '5m': 'Bars of 5 minutes',
  '15m': 'Bars of 15 minutes',
  '30m': 'Bars of half an hour',
  '1h': 'Bars of an hour',
  '1d': 'Bars of a day',
}

export function chartCommands({ bars }: Workspace): Command[] {
  const command = (title: string, keys: string, run: () => void, also = ''): Command => ({
    id: `Chart: ${title}`,
    group: 'Chart',
    title,
    keys,
    also: `candles ${also}`,
    run,
  })
  const choices: IntervalChoice[] = ['auto', ...INTERVALS]
  return [
    ...choices.map((choice, digit) =>
      command(WORDS[choice], String(digit), () => bars.choose(choice), `interval ${choice}`),
    ),
    command('With or without off-market trades', 'm', bars.toggleOffMarket, 'conditions crossings reported'),
  ]
}
