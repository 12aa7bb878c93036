#!/usr/bin/env node
// What `npm start` and `npx k2` run: builds when there is no build or the sources are newer, then hands over.
// CommonJS, and the first line that runs: Node reads UV_THREADPOOL_SIZE when its thread pool starts, and loading an
// ES module starts it. DuckDB runs on that pool; with the default four threads a few long queries hold up every
// file write (measured: 6 s; with 16: 51 ms).
process.env.UV_THREADPOOL_SIZE ??= String(Math.max(16, Number(process.env.K2_QUERY_POOL_SIZE ?? 5) + 8))

const { existsSync, readdirSync, statSync } = require('node:fs')
const { basename, dirname, join } = require('node:path')

const root = join(dirname(require('node:fs').realpathSync(__filename)), '../..')
const built = join(root, 'out/main/cli.cjs')

/** Newest change below a folder; 0 where there are no sources, as in a packaged app. */
function newest(folder) {
  if (!existsSync(folder)) return 0
  let time = statSync(folder).mtimeMs
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    time = Math.max(time, entry.isDirectory() ? newest(path) : statSync(path).mtimeMs)
  }
  return time
}

function build() {
  const vite = join(root, 'node_modules/electron-vite/bin/electron-vite.js')
  if (!existsSync(vite)) fail('K2 is not built and its build tools are missing: run `npm ci` in its folder.')
  const { status, stdout, stderr } = require('node:child_process').spawnSync(
    process.execPath,
    [vite, 'build', '--logLevel', 'warn'],
    { cwd: root, encoding: 'utf8' },
  )
  if (status !== 0) fail(`The build failed:\n${stdout}${stderr}`)
}

function fail(message) {
  process.stderr.write(message + '\n')
  process.exit(1)
}

const words = process.argv.slice(2)
const onlyBuild = words[0] === '--build'
if (onlyBuild || !existsSync(built) || statSync(built).mtimeMs < newest(join(root, 'src'))) build()

if (!onlyBuild) {
  const aliases = { 'k2-query': ['query'], 'k2-ingest': ['ingest'] }
  void require(built).main([...(aliases[basename(process.argv[1])] ?? []), ...words])
}
