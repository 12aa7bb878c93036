// Builds the page as the product is built, into a folder of the tests' own, once per test process.
import { resolve } from 'node:path'
import { build, type InlineConfig } from 'vite'
import config from '../../electron.vite.config.ts'

const folder = resolve('node_modules/.cache/k2-page')
let building: Promise<unknown> | undefined

/** Gives the folder. */
export async function buildPage(): Promise<string> {
  const { renderer } = config as { renderer: InlineConfig }
  building ??= build({
    ...renderer,
    configFile: false,
    logLevel: 'warn',
    build: { ...renderer.build, outDir: folder, emptyOutDir: true },
  })
  await building
  return folder
}
