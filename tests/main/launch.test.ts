import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'

const root = resolve(import.meta.dirname, '../..')

/** The launcher in a tree of its own, with an instrument where the built program would be. */
function launcherBefore(program: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'k2-launch-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'src/main'), { recursive: true })
  mkdirSync(join(folder, 'out/main'), { recursive: true })
  cpSync(join(root, 'src/main/launch.cjs'), join(folder, 'src/main/launch.cjs'))
  cpSync(program, join(folder, 'out/main/cli.cjs'))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  return folder
}

it('commits to disk at once while every query connection is busy', () => {
  const folder = launcherBefore(join(root, 'tests/support/write-while-querying.cjs'))
  const env = { ...process.env, UV_THREADPOOL_SIZE: undefined }
  const printed = execFileSync(process.execPath, [join(folder, 'src/main/launch.cjs'), folder], {
    env,
    encoding: 'utf8',
  })
  const { elapsedMs, threads } = JSON.parse(printed) as { elapsedMs: number; threads: string }
  expect(threads).toBe('16')
  // With the default four threads this takes as long as the first query: 17 s on the machine where it was written.
  expect(elapsedMs).toBeLessThan(1_000)
})
