// Loads a configuration from what a test says, on a profile of its own, and never from this machine's environment.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Failure } from '../../../src/contract/failure.ts'
import { loadConfig, type LoadOptions } from '../../../src/main/config/load-config.ts'
import type { Config } from '../../../src/main/config/settings.ts'
import { makeTempFolder } from '../../support/temp-folder.ts'

export interface Said extends LoadOptions {
  /** Content of k2.config.json: an object, or text as it is. */
  file?: object | string
}

export function loadSaid({ file, env = {}, ...options }: Said = {}): Config {
  const profile = makeTempFolder()
  if (file) writeFileSync(join(profile, 'k2.config.json'), typeof file === 'string' ? file : JSON.stringify(file))
  return loadConfig({ ...options, env: { K2_PROFILE: profile, ...env } })
}

/** The lines with which a start is refused. */
export function refusal(said: Said): string[] {
  try {
    loadSaid(said)
  } catch (error) {
    return (error as Failure).message.split('\n')
  }
  throw new Error('This configuration was accepted.')
}
