// The settings of a run that only shows something: on a folder of its own, with a log and tables of its own, whatever is set.
import { loadConfig } from '../config/load-config.ts'
import type { Config } from '../config/settings.ts'

/** None of the person's own settings: they may name real brokers and a real warehouse. */
export function throwawayConfig(profile: string, own: Readonly<Record<string, string>>): Config {
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith('K2_'))
  return loadConfig({ flags: { profile, port: 0 }, env: { ...Object.fromEntries(others), ...own } })
}
