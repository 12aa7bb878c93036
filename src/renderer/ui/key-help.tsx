// The keys, as a list beside the work; it blocks nothing and goes with Esc.
import { keyLabel } from './keys.ts'
import { COMMAND_GROUPS, type Command } from './commands.ts'

export const KEY_HELP_ID = 'key-help'

/** What the symbol list and the filter do by themselves. */
const LIST_KEYS = [
  { title: 'Walk', keys: '↑ ↓' },
  { title: 'Tape of this one only', keys: 'Enter' },
  { title: 'Clear the filter', keys: 'Escape' },
]

export function KeyHelp({ commands }: { commands: readonly Command[] }) {
  return (
    <section id={KEY_HELP_ID} className="popover key-help" popover="auto" aria-label="Keys">
      {COMMAND_GROUPS.map(group => {
        const keys = commands.filter(command => command.group === group && command.keys)
        return keys.length > 0 && <KeyList key={group} title={group} keys={keys} />
      })}
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
