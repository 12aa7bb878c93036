// A folder of its own for one test, gone when the test is.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

export function makeTempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'k2-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
