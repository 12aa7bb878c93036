// Holds the house together: who may import whom, how long a file may be, and that every version is pinned.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '..')

function filesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && /\.(tsx?|cjs|css)$/.test(entry.name))
    .map(entry => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
}

interface Import {
  /** Module name, or the path from the root of a file of ours. */
  to: string
  ours: boolean
  typeOnly: boolean
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
  const found = text.matchAll(
    /(?:^|\n)\s*(import|export)\s+(type\s)?(?:[^'"();]*?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g,
  )
  return [...found].map(([, , type, named, dynamic]) => {
    const name = (named ?? dynamic).replace(/\?.*$/, '')
    const ours = name.startsWith('.')
    const to = ours
      ? relative(root, resolve(root, dirname(file), name))
          .split(sep)
          .join('/')
      : name
    return { to, ours, typeOnly: type !== undefined }
  })
}

const sources = filesBelow('src')
/** Without what is below it: `@scope/name/part` is of `@scope/name`. */
const packageOf = (name: string) => name.split('/', name.startsWith('@') ? 2 : 1).join('/')
const vendors = (file: string) => importsOf(file).filter(({ ours, to }) => !ours && !to.startsWith('node:'))

/** Engine folders, the packages each may use, and the exceptions, each with its sentence. */
const engines: Record<string, string[]> = {
  log: ['kafkajs', 'snappy', 'lz4-napi', 'fzstd', 'zod'],
  tail: ['zod'],
  ingest: [],
  sources: ['fzstd', 'apache-arrow', 'ws'],
  metrics: ['prom-client'],
  config: ['zod'],
  duck: ['@duckdb/node-api', '@duckdb/node-bindings'],
  query: ['@duckdb/node-api', 'apache-arrow'],
  replay: [],
  lake: ['fzstd', 'libsql', '@aws-sdk/client-s3', '@duckdb/node-api'],
}
const shared = ['contract', 'main/base', 'main/market']
const exceptions: Record<string, string[]> = {
  // The seam every reader and writer of the log is written against; types only.
  tail: ['src/main/log/message-log.ts'],
  sources: ['src/main/log/message-log.ts'],
  ingest: ['src/main/log/message-log.ts'],
  // What queries ask of the lake and of the live view, and how others ask queries; types only, compose.ts hands them in.
  query: ['src/main/lake/reads.ts', 'src/main/tail/relay-contract.ts'],
  replay: ['src/main/lake/reads.ts', 'src/main/tail/relay-contract.ts', 'src/main/query/pool.ts'],
}
/** DuckDB as a tool: columns in, columns out. For the engines that write and read with it. */
const withDuck = ['lake', 'query', 'replay']

const offences = (files: string[], isOffence: (found: Import, file: string) => boolean) =>
  files.flatMap(file =>
    importsOf(file)
      .filter(found => isOffence(found, file))
      .map(({ to }) => `${file} imports ${to}`),
  )
const under = (folder: string) => sources.filter(file => file.startsWith(`src/${folder}/`))
const within = (path: string, folders: readonly string[]) => folders.some(folder => path.startsWith(`src/${folder}/`))

describe('who may import whom', () => {
  it('finds the imports it judges', () => {
    expect(importsOf('src/contract/fields.ts').map(({ to }) => to)).toEqual([
      'zod',
      'src/contract/columns.ts',
      'src/contract/tables.ts',
    ])
    expect(sources.length).toBeGreaterThan(40)
  })

  it('lets the contract import zod and itself only, so that it runs anywhere', () => {
    expect(offences(under('contract'), ({ to, ours }) => (ours ? !within(to, ['contract']) : to !== 'zod'))).toEqual([])
  })

  it.each(Object.keys(engines))('lets %s import contract, base, market and its own vendor only', folder => {
    const allowed = [...shared, `main/${folder}`, ...(withDuck.includes(folder) ? ['main/duck'] : [])]
    const found = offences(under(`main/${folder}`), ({ to, ours, typeOnly }) => {
      if (ours) return !within(to, allowed) && !(typeOnly && exceptions[folder]?.includes(to))
      return !to.startsWith('node:') && !engines[folder].includes(packageOf(to))
    })
    expect(found).toEqual([])
  })

  it('lets base and market depend on nothing else of ours but the contract', () => {
    expect(offences(under('main/base'), ({ to, ours }) => ours && !within(to, ['contract', 'main/base']))).toEqual([])
    expect(
      offences(under('main/market'), ({ to, ours }) => ours && !within(to, ['contract', 'main/base', 'main/market'])),
    ).toEqual([])
  })

  it('keeps engines out of the transports', () => {
    expect(
      offences(under('main/wire'), ({ to, ours }) => ours && !within(to, ['contract', 'main/base', 'main/wire'])),
    ).toEqual([])
  })

  it('keeps Electron in the shell and the preload', () => {
    const outside = sources.filter(file => !within(file, ['main/shell', 'preload']))
    expect(offences(outside, ({ to }) => to === 'electron' || to.startsWith('electron/'))).toEqual([])
    expect(offences(under('preload'), ({ to, ours }) => ours || to !== 'electron')).toEqual([])
  })

  it('keeps main and Node out of the renderer', () => {
    const found = offences(under('renderer'), ({ to, ours }) =>
      ours ? !within(to, ['renderer', 'contract']) : to.startsWith('node:'),
    )
    expect(found).toEqual([])
  })

  it('lets panes reach the client through stores only', () => {
    const panes = sources.filter(file => within(file, ['renderer/panes', 'renderer/ui']))
    expect(offences(panes, ({ to }) => to === 'src/renderer/client.ts')).toEqual([])
  })

  it('keeps React out of the stores', () => {
    const found = vendorsOf(under('renderer/stores')).filter(name => /react|ag-grid|echarts/.test(name))
    expect(found).toEqual([])
  })

  it('has no barrel but the contract', () => {
    const barrels = sources.filter(file => /\/index\.tsx?$/.test(file))
    expect(
      barrels.filter(file => !['src/contract/index.ts', 'src/main/index.ts', 'src/preload/index.ts'].includes(file)),
    ).toEqual([])
  })
})

function vendorsOf(files: string[]): string[] {
  return files.flatMap(vendors).map(({ to }) => to)
}

describe('files', () => {
  const all = [...sources, ...filesBelow('tests'), ...filesBelow('bench')]

  it('are at most 400 lines long', () => {
    const lines = (file: string) => readFileSync(join(root, file), 'utf8').split('\n').length - 1
    expect(all.filter(file => lines(file) > 400).map(file => `${file}: ${lines(file)}`)).toEqual([])
  })

  it('say in their first line what they are for', () => {
    const first = (file: string) =>
      readFileSync(join(root, file), 'utf8')
        .replace(/^#!.*\n/, '')
        .split('\n', 1)[0]
    const judged = all.filter(file => !file.endsWith('.test.ts') && !file.endsWith('.test.tsx')) // whose tests say it
    expect(judged.filter(file => !/^(\/\/|\/\*) \S/.test(first(file)))).toEqual([])
  })
})

describe('versions', () => {
  it('are pinned exactly', () => {
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<
      string,
      Record<string, string>
    >
    const versions = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })
    expect(versions.length).toBeGreaterThan(20)
    expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([])
  })
})
