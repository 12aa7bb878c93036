// What one can do with a replay, for the palette and the keys.
import type { Workspace } from '../../stores/workspace.ts'
import type { Command } from '../../ui/commands.ts'

export function replayCommands({ replay, moment }: Workspace): Command[] {
  const isOffered = () => moment.state.getState().mode === 'replay'
  const command = (title: string, keys: string, run: () => void, also = ''): Command => ({
    id: `Replay: ${title}`,
    group: 'Replay',
    title,
    keys,
    also: `transport ${also}`,
    isOffered,
    run,
  })
  return [
    command('Play or pause', 'space', replay.toggle),
    command('Slower', 'j', () => replay.faster(-1), 'speed'),
    command('Pause or play', 'k', replay.toggle),
    command('Faster', 'l', () => replay.faster(1), 'speed'),
    command('Next row', 'ArrowRight', () => replay.step('tick', 1), 'step tick'),
    command('Row before', 'ArrowLeft', () => replay.step('tick', -1), 'step back tick'),
    command('Next bar', 'shift+ArrowRight', () => replay.step('bar', 1), 'step'),
    command('Bar before', 'shift+ArrowLeft', () => replay.step('bar', -1), 'step back'),
    command('Next commit', 'alt+ArrowRight', () => replay.step('commit', 1), 'step snapshot'),
    command('Commit before', 'alt+ArrowLeft', () => replay.step('commit', -1), 'step back snapshot'),
    command('Turn round', 'v', replay.reverse, 'reverse backward'),
    command('Loop from here, to here, no more', 'b', replay.markLoop, 'range repeat'),
  ]
}
