// Three targets: main (the window, the server, the command line, the engine process), preload, renderer.
import { defineConfig } from 'electron-vite'
import react from '@vitejs/plugin-react'
import { resolve } from 'node:path'

const main = (name: string) => resolve(`src/main/${name}.ts`)

export default defineConfig({
  main: {
    build: {
      // What every command loads is bundled, so that `k2 --help` starts fast; the rest is loaded where it is used.
      externalizeDeps: { exclude: ['zod', 'commander'] },
      rollupOptions: {
        input: { index: main('index'), serve: main('serve'), cli: main('cli'), engines: main('engines') },
      },
    },
  },
  preload: {
    build: {
      // A sandboxed preload must be CommonJS.
      rollupOptions: {
        input: { index: resolve('src/preload/index.ts') },
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  },
  renderer: {
    root: 'src/renderer',
    plugins: [react()],
    html: { cspNonce: '__NONCE__' },
    build: {
      target: 'chrome140',
      rollupOptions: { input: { index: resolve('src/renderer/index.html') } },
    },
  },
})
