// Builds the page as the product is built, into a folder of the tests' own, once per test process.
import { resolve } from 'node:path'
import { build, type InlineConfig } from 'vite'
import config from '../../electron.vite.config.ts'

const folder = resolve('node_modules/.cache/k2-page')
let building: Promise<unknown> | undefined

/** Gives the folder. */
export async function buildPage(): Promise<string> {
  const { renderer } = config as { renderer: InlineConfig }
  building ??= buildForProduction({
    ...renderer,
    configFile: false,
    logLevel: 'warn',
    build: { ...renderer.build, outDir: folder, emptyOutDir: true },
  })
  await building
  return folder
}

/** A test runner sets NODE_ENV, by which React would be built for development. */
async function buildForProduction(config: InlineConfig): Promise<void> {
  const before = process.env.NODE_ENV
  process.env.NODE_ENV = 'production'
  try {
    await build(config)
  } finally {
    if (before === undefined) delete process.env.NODE_ENV
    else process.env.NODE_ENV = before
  }
}
