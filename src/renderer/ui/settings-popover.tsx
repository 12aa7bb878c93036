// How things look: theme, rows, colours of rise and fall, zone. Changes show at once; nothing to confirm.
import { useStore } from 'zustand'
import { CHOICES, type Choice } from '../stores/settings.ts'
import { useWorkspace } from './workspace-context.ts'

export const SETTINGS_ID = 'settings'

const LABELS: Partial<Record<Choice, { title: string; options: Record<string, string> }>> = {
  theme: {
    title: 'Theme',
    options: { system: 'As the system', dark: 'Dark', light: 'Light', contrast: 'High contrast' },
  },
  density: { title: 'Rows', options: { compact: 'Compact', regular: 'Regular', roomy: 'Roomy' } },
  rising: { title: 'Rising prices are', options: { blue: 'Blue, falling orange', orange: 'Orange, falling blue' } },
  zone: { title: 'Times', options: { exchange: "In the exchange's zone", utc: 'In UTC', local: 'In local time' } },
}

export function SettingsPopover() {
  return (
    <section id={SETTINGS_ID} className="popover settings" popover="auto" aria-label="Settings">
      {(Object.keys(LABELS) as Choice[]).map(choice => (
        <ChoiceField key={choice} choice={choice} />
      ))}
    </section>
  )
}

function ChoiceField({ choice }: { choice: Choice }) {
  const { settings } = useWorkspace()
  const value = useStore(settings, state => state[choice])
  const { title, options } = LABELS[choice]!
  return (
    <fieldset>
      <legend>{title}</legend>
      {CHOICES[choice].map(option => (
        <label key={option} className="radio">
          <input
            type="radio"
            name={choice}
            checked={value === option}
            onChange={() => settings.setState({ [choice]: option })}
          />
          <span>{options[option]}</span>
        </label>
      ))}
    </fieldset>
  )
}
