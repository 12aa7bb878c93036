// The effective configuration: flag, environment, k2.config.json in the profile, default; all of it checked at once.
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { Failure } from '../../contract/failure.ts'
import { MASK, maskSecrets } from '../base/mask.ts'
import { checkSettings, warnAboutSettings, type Problem } from './check-settings.ts'
import { CONFIG_FILE, readConfigFile } from './config-file.ts'
import { nearestName } from './nearest-name.ts'
import type { Environment, Setting, Texts } from './setting.ts'
import { listSettings, mapSettings, settings, SWITCHES, type Config, type Source } from './settings.ts'

export interface LoadOptions {
  /** By the name of the option, as commander gives them; what is no flag of a setting is passed over. */
  flags?: Readonly<Record<string, unknown>>
  env?: Environment
  readFile?: (path: string) => string
}

/** One place where settings are said, by variable; relative paths in it count from `folder`. */
interface Layer {
  source: Source
  said: Environment
  folder: string
}

type Origin = Config['sources'][string]

/** Everything that is wrong is reported together, one line each, as INVALID_INPUT. */
export function loadConfig(options: LoadOptions = {}): Config {
  const { flags = {}, env = process.env, readFile = (path: string) => readFileSync(path, 'utf8') } = options
  const table = listSettings()
  const known = table.map(({ name }) => name)
  const typed = table
    .filter(({ flag }) => flag !== undefined && flags[flag] !== undefined)
    .map(({ name, flag }): [string, string] => [name, String(flags[flag!] as string | number)])
  const layers: Layer[] = [
    { source: 'flag', said: Object.fromEntries(typed), folder: '.' },
    { source: 'environment', said: env, folder: '.' },
  ]
  const sources: Record<string, Origin> = {}
  const texts: Texts = name => sources[name]?.text ?? ''

  const profile = chooseText(settings.profile, layers, texts, env)
  const file = readConfigFile(profile.text, readFile)
  layers.push({ source: 'file', said: file.said, folder: profile.text })
  for (const setting of table) sources[setting.name] = chooseText(setting, layers, texts, env)
  sources[settings.profile.name] = profile

  const values = new Map<string, unknown>()
  const problems: Problem[] = [
    ...findUnknown(Object.keys(env), 'environment', known),
    ...file.problems,
    ...findUnknown(Object.keys(file.said), 'file', known),
    ...table.flatMap(setting => parseText(setting, sources[setting.name], values)),
    ...checkSettings(texts, readFile),
  ]
  if (problems.length > 0) {
    const details = problems.map(({ name, problem }) => ({ field: name, problem }))
    throw new Failure('INVALID_INPUT', problems.map(({ name, problem }) => `${name} ${problem}`).join('\n'), {
      details,
    })
  }
  return { ...mapSettings(({ name }) => values.get(name)), sources, warnings: warnAboutSettings(texts) }
}

/** The first layer that says something; an empty text sends a setting back to its default. */
function chooseText(
  { name, fallback, path }: Setting,
  layers: readonly Layer[],
  texts: Texts,
  env: Environment,
): Origin {
  const layer = layers.find(({ said }) => said[name] !== undefined)
  const text = layer?.said[name]?.trim()
  if (layer && text) return { source: layer.source, text: path ? absolutePath(text, layer.folder) : text }
  return { source: 'default', text: typeof fallback === 'string' ? fallback : fallback(texts, env) }
}

function absolutePath(text: string, folder: string): string {
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(text)) return text
  return resolve(
    folder,
    text.replace(/^~(?=$|[/\\])/, () => homedir()),
  )
}

function parseText(
  { name, kind, secret, flag }: Setting,
  { source, text }: Origin,
  values: Map<string, unknown>,
): Problem[] {
  const result = kind.safeParse(text)
  if (result.success) {
    values.set(name, result.data)
    return []
  }
  const where = source === 'flag' ? `--${flag}` : source === 'file' ? CONFIG_FILE : source
  const shown = secret ? MASK : maskSecrets(text)
  return [{ name, problem: `is "${shown}" (${where}); allowed: ${kind.description}.` }]
}

function findUnknown(names: readonly string[], source: 'environment' | 'file', known: readonly string[]): Problem[] {
  return names
    .filter(name => !known.includes(name))
    .filter(name => source === 'file' || (name.startsWith('K2_') && !SWITCHES.includes(name)))
    .map(name => {
      const nearest = nearestName(name, known)
      const advice = nearest ? `did you mean ${nearest}?` : '`k2 config` lists them all.'
      return { name, problem: `is not a setting of K2 (${source === 'file' ? CONFIG_FILE : source}); ${advice}` }
    })
}
