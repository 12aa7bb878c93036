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
        input: {
          index: main('index'),
          cli: main('cli'),
          'live-process': main('processes/live-process'),
          'history-process': main('processes/history-process'),
          'writer-process': main('processes/writer-process'),
          'csv-thread': main('sources/csv/csv-thread'),
        },
        // CommonJS, because an entry must set UV_THREADPOOL_SIZE before anything starts the thread pool,
        // and loading an ES module does.
        output: { format: 'cjs', entryFileNames: '[name].cjs', chunkFileNames: '[name]-[hash].cjs' },
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
      minify: true, // which electron-vite leaves out otherwise
      rollupOptions: { input: { index: resolve('src/renderer/index.html') } },
    },
  },
})
