#!/usr/bin/env node
// What `npm start` and `npx k2` run: builds when there is no build or the sources are newer, then hands over.
// CommonJS, and the first line that runs: Node reads UV_THREADPOOL_SIZE when its thread pool starts, and loading an
// ES module starts it. DuckDB runs on that pool; with the default four threads a few long queries hold up every
// file write (measured: 17 s; with 16: 52 ms).
const { UV_THREADPOOL_SIZE, K2_QUERY_POOL_SIZE } = process.env
process.env.UV_THREADPOOL_SIZE = String(
  Math.max(16, Number(UV_THREADPOOL_SIZE) || 0, (Number(K2_QUERY_POOL_SIZE) || 5) + 8),
)

const { existsSync, readdirSync, statSync, writeFileSync } = require('node:fs')
const { basename, dirname, join } = require('node:path')

const root = join(dirname(require('node:fs').realpathSync(__filename)), '../..')
const built = join(root, 'out/main/cli.cjs')
/** Written when everything was built, so that a build that broke off is not taken for one. */
const stamp = join(root, 'out/built')

/** When a file, or anything below a folder, was last changed. */
function newest(path) {
  const stat = statSync(path)
  if (!stat.isDirectory()) return stat.mtimeMs
  return Math.max(stat.mtimeMs, ...readdirSync(path).map(name => newest(join(path, name))))
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
  writeFileSync(stamp, '')
}

function isStale() {
  if (!existsSync(join(root, 'electron.vite.config.ts'))) return false // a packaged app has no sources
  if (!existsSync(stamp)) return true
  const sources = ['src', 'electron.vite.config.ts', 'package-lock.json'].map(name => newest(join(root, name)))
  return statSync(stamp).mtimeMs < Math.max(...sources)
}

function fail(message) {
  process.stderr.write(message + '\n')
  process.exit(1)
}

const words = process.argv.slice(2)
const onlyBuild = words[0] === '--build'
if (onlyBuild || isStale()) build()

if (!onlyBuild) {
  const aliases = { 'k2-query': ['query'], 'k2-ingest': ['ingest'] }
  void require(built).main([...(aliases[basename(process.argv[1])] ?? []), ...words])
}
