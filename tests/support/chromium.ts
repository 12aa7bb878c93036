// Finds a Chromium on this machine and opens it for a test.
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { chromium, type Browser } from 'playwright'

const NAMES = ['chromium', 'google-chrome', 'chromium-browser']
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking']

export function findChromium(): { path?: string; missing?: string } {
  const named = process.env.K2_CHROMIUM
  if (named)
    return isExecutable(named) ? { path: named } : { missing: `K2_CHROMIUM names ${named}, which cannot be run` }
  const folders = ['/usr/bin', ...(process.env.PATH ?? '').split(delimiter)]
  const path = NAMES.flatMap(name => folders.map(folder => join(folder, name))).find(isExecutable)
  return path ? { path } : { missing: 'there is no Chromium: set K2_CHROMIUM to one' }
}

export function launchChromium(): Promise<Browser> {
  const { path, missing } = findChromium()
  if (!path) throw new Error(missing)
  return chromium.launch({ executablePath: path, args: FLAGS })
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
