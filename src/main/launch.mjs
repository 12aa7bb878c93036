#!/usr/bin/env node
// What `npm start` and `npx k2` run: builds when there is no build or the sources are newer, then hands over.
import { existsSync, readdirSync, statSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '../..')
const built = join(root, 'out/main/cli.js')

/** Newest change below a folder; 0 where there are no sources, as in a packaged app. */
function newest(folder) {
  if (!existsSync(folder)) return 0
  let time = 0
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    time = Math.max(time, entry.isDirectory() ? newest(path) : statSync(path).mtimeMs)
  }
  return time
}

function build() {
  const vite = join(root, 'node_modules/electron-vite/bin/electron-vite.js')
  if (!existsSync(vite)) return fail('K2 is not built and its build tools are missing. Run `npm ci` in its folder.')
  const { status, stdout, stderr } = spawnSync(process.execPath, [vite, 'build', '--logLevel', 'warn'], {
    cwd: root,
    encoding: 'utf8',
  })
  if (status !== 0) fail(`The build failed:\n${stdout}${stderr}`)
}

function fail(message) {
  process.stderr.write(message + '\n')
  process.exit(1)
}

const [, program, ...words] = process.argv
const onlyBuild = words[0] === '--build'
const stale = onlyBuild || !existsSync(built) || statSync(built).mtimeMs < newest(join(root, 'src'))
if (stale) build()

if (!onlyBuild) {
  // DuckDB runs on libuv's threads; with the default four, a few long queries hold up every file write.
  process.env.UV_THREADPOOL_SIZE ??= '16'
  const alias = { 'k2-query': ['query'], 'k2-ingest': ['ingest'] }[basename(program, '.mjs')] ?? []
  const { main } = await import(pathToFileURL(built).href)
  await main([...alias, ...words])
}
