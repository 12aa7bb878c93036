// Reads k2.config.json of a profile: the variables by their names, with text, numbers, booleans or lists as values.
import { join } from 'node:path'
import type { Problem } from './check-settings.ts'

export const CONFIG_FILE = 'k2.config.json'

export interface ConfigFile {
  said: Record<string, string>
  problems: Problem[]
}

export function readConfigFile(profile: string, readFile: (path: string) => string): ConfigFile {
  const fail = (problem: string): ConfigFile => ({ said: {}, problems: [{ name: CONFIG_FILE, problem }] })
  const path = join(profile, CONFIG_FILE)
  let text: string
  try {
    text = readFile(path).replace(/^\uFEFF/, '')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'ENOENT' || code === 'ENOTDIR'
      ? { said: {}, problems: [] }
      : fail(`cannot be read at ${path} (${code}).`)
  }
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch (error) {
    // The parser's own message quotes the file, and with it perhaps a secret.
    const position = /position (\d+)/.exec((error as Error).message)?.[1]
    const line = position ? ` near line ${text.slice(0, Number(position)).split('\n').length}` : ''
    return fail(`is not valid JSON${line}: ${path}.`)
  }
  if (!isRecord(content)) return fail(`has to be an object such as {"K2_API_PORT": 8100}: ${path}.`)
  return readSettings(content)
}

function readSettings(content: Record<string, unknown>): ConfigFile {
  const said: Record<string, string> = {}
  const problems: Problem[] = []
  for (const [name, value] of Object.entries(content)) {
    const text = textOf(value)
    if (name === 'K2_PROFILE') {
      problems.push({ name, problem: `cannot be set in ${CONFIG_FILE}, which lies in the profile; use --profile.` })
    } else if (text === undefined) {
      problems.push({ name, problem: `is null (${CONFIG_FILE}); leave it out to use the default.` })
    } else said[name] = text
  }
  return { said, problems }
}

/** What the same value would be as an environment variable. */
function textOf(value: unknown): string | undefined {
  if (value === null) return undefined
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  const plain = Array.isArray(value) && value.every(item => typeof item === 'string' || typeof item === 'number')
  return plain ? value.join(',') : JSON.stringify(value)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
