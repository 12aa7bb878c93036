// Finds the Electron program that shows the window, without starting or downloading anything.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface FindOptions {
  env?: Readonly<Record<string, string | undefined>>
  platform?: NodeJS.Platform
  /** Folder of K2; this file runs from src/main and from out/main. */
  root?: string
}

const BROWSER = 'K2 opens in the browser instead'

/** `missing` is one line: why there will be no window, and what to do to get one. */
export function findElectron(options: FindOptions = {}): { path: string } | { missing: string } {
  const { env = process.env, platform = process.platform, root = join(import.meta.dirname, '../..') } = options
  if (platform === 'linux' && !env.DISPLAY && !env.WAYLAND_DISPLAY)
    return { missing: `There is no display here (DISPLAY and WAYLAND_DISPLAY are not set): ${BROWSER}.` }
  if (env.K2_ELECTRON)
    return existsSync(env.K2_ELECTRON)
      ? { path: env.K2_ELECTRON }
      : { missing: `K2_ELECTRON names ${env.K2_ELECTRON}, where there is no file: ${BROWSER}.` }
  return (
    installedElectron(root) ?? {
      missing: `Electron is not installed (\`npx install-electron\` fetches it): ${BROWSER}.`,
    }
  )
}

/** The npm package comes without its program; that is fetched in a second step, which writes path.txt last. */
export function installedElectron(root: string): { path: string } | undefined {
  const folder = join(root, 'node_modules/electron')
  const pathFile = join(folder, 'path.txt')
  if (!existsSync(pathFile)) return undefined
  const path = join(folder, 'dist', readFileSync(pathFile, 'utf8').trim())
  return existsSync(path) ? { path } : undefined
}
