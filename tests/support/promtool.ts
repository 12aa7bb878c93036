// Prometheus' own judge of metrics and rules.
import { spawnSync } from 'node:child_process'

export function findPromtool(): { missing?: string } {
  const { status } = spawnSync('promtool', ['--version'], { stdio: 'ignore' })
  return status === 0 ? {} : { missing: 'no promtool; apt install prometheus has it' }
}

/** What it says of this input, line by line; nothing when it finds no fault. */
export function runPromtool(words: readonly string[], input: string): string[] {
  const { error, stdout, stderr } = spawnSync('promtool', words, { input, encoding: 'utf8' })
  if (error) throw new Error(findPromtool().missing, { cause: error })
  return (stdout + stderr).split('\n').filter(line => line !== '')
}
