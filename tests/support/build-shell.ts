// Bundles the shell as it is shipped, with a tiny page instead of the renderer, for the Electron that the test drives.
import { build as bundle, type BuildOptions, type Plugin } from 'esbuild'
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = resolve(import.meta.dirname, '../..')
const page = fileURLToPath(new URL('./shell-page.ts', import.meta.url))
const oldModule = fileURLToPath(new URL('./electron9/electron.ts', import.meta.url))
const oldGlobals = fileURLToPath(new URL('./electron9/node12.ts', import.meta.url))

/** In main 'electron' is the shim for an old Electron; the shim itself gets the real one. */
const oldElectron: Plugin = {
  name: 'old-electron',
  setup(build) {
    build.onResolve({ filter: /^electron$/ }, ({ importer }) =>
      importer === oldModule ? { path: 'electron', external: true } : { path: oldModule },
    )
  },
}

/** What hosts the engines is left out: a thin client that reached for it would fail. */
const noEngines: Plugin = {
  name: 'no-engines',
  setup(build) {
    build.onResolve({ filter: /\/serve\.ts$/ }, () => ({ path: './no-engines-in-a-thin-client.cjs', external: true }))
  },
}

const html = `<!doctype html><title>K2</title><meta charset="utf-8">
<style nonce="__NONCE__">body { color: rgb(1, 2, 3) }</style>
<script nonce="__NONCE__">window.inlineWithNonce = true</script>
<script type="module" src="/page.js"></script>`

/** Lays out `folder` as a program: out/main, out/preload, out/renderer, resources. */
export async function buildShell(folder: string, old: boolean): Promise<void> {
  const common: BuildOptions = { bundle: true, logLevel: 'warning', external: ['electron'] }
  const node: BuildOptions = {
    ...common,
    platform: 'node',
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    define: { 'import.meta.dirname': '__dirname' },
  }
  for (const part of ['out/renderer', 'resources']) mkdirSync(join(folder, part), { recursive: true })
  copyFileSync(join(root, 'resources/icon.png'), join(folder, 'resources/icon.png'))
  await Promise.all([
    bundle({
      ...node,
      entryPoints: [join(root, 'src/main/index.ts')],
      outdir: join(folder, 'out/main'),
      target: old ? 'node12.14' : 'node22',
      plugins: old ? [oldElectron, noEngines] : [noEngines],
      inject: old ? [oldGlobals] : [],
    }),
    bundle({
      ...node,
      entryPoints: [join(root, 'src/preload/index.ts')],
      outdir: join(folder, 'out/preload'),
      target: old ? 'chrome83' : 'chrome140',
    }),
    bundle({
      ...common,
      entryPoints: { page },
      outdir: join(folder, 'out/renderer'),
      format: 'esm',
      target: old ? 'chrome83' : 'chrome140',
    }),
  ])
  writeFileSync(join(folder, 'out/renderer/index.html'), html)
}
