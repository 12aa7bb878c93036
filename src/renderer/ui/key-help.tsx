// The keys, as a list beside the work; it blocks nothing and goes with Esc.
import { keyLabel } from './keys.ts'
import type { Command } from './commands.ts'

export const KEY_HELP_ID = 'key-help'

/** What the symbol list and the filter do by themselves. */
const LIST_KEYS = [
  { title: 'Walk', keys: '↑ ↓' },
  { title: 'Tape of this one only', keys: 'Enter' },
  { title: 'Clear the filter', keys: 'Escape' },
]
const GROUPS = ['Go to', 'Tape', 'View'] as const

export function KeyHelp({ commands }: { commands: readonly Command[] }) {
  return (
    <section id={KEY_HELP_ID} className="popover key-help" popover="auto" aria-label="Keys">
      {GROUPS.map(group => (
        <KeyList key={group} title={group} keys={commands.filter(command => command.group === group)} />
      ))}
      <KeyList title="In the symbols" keys={LIST_KEYS} />
    </section>
  )
}

function KeyList({ title, keys }: { title: string; keys: readonly { title: string; keys?: string }[] }) {
  return (
    <div>
      <h2>{title}</h2>
      <dl>
        {keys.map(
          ({ title, keys }) =>
            keys && (
              <div key={keys}>
                <dt>{title}</dt>
                <dd>
                  <kbd>{keyLabel(keys)}</kbd>
                </dd>
              </div>
            ),
        )}
      </dl>
    </div>
  )
}
