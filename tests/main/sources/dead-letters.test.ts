import { once } from 'node:events'
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openDeadLetters } from '../../../src/main/sources/dead-letters.ts'
import { companyInfo, writeFile } from '../../support/csv-files.ts'
import { makeTempFolder } from '../../support/temp-folder.ts'
import { finals, HEADER, line, load, memoryTarget } from './load-into-memory.ts'

describe('dead letters', () => {
  const bad = HEADER + line('1') + line('x,"y"') + line('2') + 'B"P,1,2,3\n'

  it('lie beside the file, replaced by the next load', async () => {
    const { target, commits } = memoryTarget()
    const path = writeFile('a.csv', bad)
    for (let i = 0; i < 2; i++) {
      const [report] = await finals(load(target, { files: [path], again: true }))
      expect(report).toMatchObject({ state: 'loaded', rows: 2, bad_rows: 2, dead_letters: `${path}.dead.csv` })
    }
    expect(commits.map(({ rows }) => rows.length)).toEqual([2, 2])
    expect(readFileSync(`${path}.dead.csv`, 'utf8')).toBe(
      'file,line,reason,text\r\n' +
        `${path},3,has 5 fields where 4 are expected,"BHP,1394398867532,x,""y"",1"\r\n` +
        `${path},5,the line has a quote inside a field that does not begin with one,"B""P,1,2,3"\r\n`,
    )
    expect(readdirSync(join(path, '..')).sort()).toEqual(['a.csv', 'a.csv.dead.csv'])
  })

  it('of all files go to one that is named, as JSON lines by its ending, after what is there', async () => {
    const { target } = memoryTarget()
    const dlq = join(makeTempFolder(), 'dead.jsonl')
    writeFileSync(dlq, '{"earlier":1}\n')
    const files = [
      writeFile('a.csv', bad),
      writeFile('b.csv', HEADER + line('1')),
      writeFile('c.csv', HEADER + line('') + line('9')),
    ]
    await finals(load(target, { files, dlq }))
    const lines = readFileSync(dlq, 'utf8')
      .trimEnd()
      .split('\n')
      .map(text => JSON.parse(text) as Record<string, unknown>)
    expect(lines.map(({ file, line }) => [file, line])).toEqual([
      [undefined, undefined],
      [files[0], 3],
      [files[0], 5],
      [files[2], 2],
    ])
    expect(lines[3]).toEqual({ file: files[2], line: 2, reason: 'price is missing', text: 'BHP,1394398867532,,1' })
    expect(existsSync(`${files[0]}.dead.csv`)).toBe(false)
  })

  it('that cannot be written keep the file from being loaded', async () => {
    const { target, commits } = memoryTarget()
    const dlq = join(makeTempFolder(), 'no', 'such', 'folder', 'dead.csv')
    await expect(finals(load(target, { files: [writeFile('a.csv', bad)], dlq }))).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('--dlq') as string,
    })
    expect(commits).toEqual([])
  })

  it('of an earlier try are gone once the file loads without any, and no other file is', async () => {
    const { target, commits } = memoryTarget()
    const folder = makeTempFolder()
    const path = writeFile('a.csv', bad, folder)
    const other = writeFile('b.csv', bad + line('5'), folder)
    const dlq = join(makeTempFolder(), 'dead.csv')
    await finals(load(target, { files: [path, other] }))
    await finals(load(target, { files: [path], dlq, again: true }))
    const steps: [string, string | undefined, boolean][] = [
      [HEADER, undefined, true],
      [HEADER + line('1'), dlq, true],
      [HEADER + line('2'), undefined, false],
    ]
    for (const [content, named, isKept] of steps) {
      writeFileSync(path, content)
      await finals(load(target, { files: [path], dlq: named }))
      expect(existsSync(`${path}.dead.csv`)).toBe(isKept)
    }
    expect(commits).toHaveLength(5)
    expect([`${other}.dead.csv`, dlq].map(file => existsSync(file))).toEqual([true, true])
    writeFileSync(`${path}.dead.csv`, 'my,own\n')
    writeFileSync(path, HEADER + line('3'))
    await finals(load(target, { files: [path] }))
    expect(readFileSync(`${path}.dead.csv`, 'utf8')).toBe('my,own\n')
  })

  it('that cannot be kept leave neither a draft nor an open file', async () => {
    const folder = makeTempFolder()
    const path = writeFile('a.csv', bad, folder)
    mkdirSync(`${path}.dead.csv`)
    await expect(finals(load(memoryTarget().target, { files: [path] }))).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    const collected = join(folder, 'dlq')
    mkdirSync(collected)
    const letters = openDeadLetters(path, collected)
    await letters.write([{ line: 3, reason: 'price is missing', text: '' }])
    await expect(letters.keep()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await letters.discard()
    expect(readdirSync(folder).sort()).toEqual(['a.csv', 'a.csv.dead.csv', 'dlq'])
    expect(openFilesIn(folder)).toEqual([])
  })

  it('are on the disk before the rows are committed', async () => {
    const path = writeFile('a.csv', bad)
    let there = false
    const { target } = memoryTarget({ onCommit: () => (there = existsSync(`${path}.dead.csv`)) })
    await finals(load(target, { files: [path] }))
    expect(there).toBe(true)
  })
})

/** Only Linux tells them; none elsewhere. */
function openFilesIn(folder: string): string[] {
  if (process.platform !== 'linux') return []
  const links = readdirSync('/proc/self/fd').map(fd => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`)
    } catch {
      return ''
    }
  })
  return links.filter(path => path.startsWith(folder))
}

describe('a file named with --dlq', () => {
  it.each<[string, (file: string, other: string) => string]>([
    ['itself', file => file],
    [
      'a link',
      (file, other) => {
        symlinkSync(file, other)
        return other
      },
    ],
    [
      'a hard link',
      (file, other) => {
        linkSync(file, other)
        return other
      },
    ],
  ])('may be no file that the load reads, by %s', async (_by, named) => {
    const folder = makeTempFolder()
    const path = writeFile('7078_trades.csv', HEADER + line('1') + line('x'), folder)
    const reference = writeFile('company_info.csv', companyInfo, makeTempFolder())
    for (const [read, files] of [
      [path, [path]],
      [path, [folder]],
      [reference, [path]],
    ] as const) {
      const before = readFileSync(read, 'utf8')
      const dlq = named(read, join(makeTempFolder(), 'dead.csv'))
      const { target, commits } = memoryTarget()
      await expect(finals(load(target, { files: [...files], reference, dlq }))).rejects.toMatchObject({
        code: 'INVALID_INPUT',
        message: expect.stringMatching(new RegExp(`^--dlq ${dlq} would .*${read}.*Name another file`)) as string,
      })
      expect(readFileSync(read, 'utf8')).toBe(before)
      expect(commits).toEqual([])
    }
  })

  it('may not be a folder, nor anything else that is no file', async () => {
    const path = writeFile('a.csv', HEADER + line('1') + line('x'))
    const folder = makeTempFolder()
    const socket = join(folder, 'socket')
    // Never a device of the machine: where this is broken, a load by root replaces it.
    const server = createServer().listen(socket)
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    for (const [dlq, message] of [
      [folder, `is a folder; name a file in it, as --dlq ${join(folder, 'dead.csv')}.`],
      [socket, 'is no file; name one.'],
    ]) {
      const { target, commits } = memoryTarget()
      await expect(finals(load(target, { files: [path], dlq }))).rejects.toMatchObject({
        code: 'INVALID_INPUT',
        message: expect.stringContaining(`--dlq ${dlq} ${message}`) as string,
      })
      expect(commits).toEqual([])
    }
    expect(readdirSync(folder)).toEqual(['socket'])
    expect(statSync(socket).isSocket()).toBe(true)
  })

  it('is left out of the folder that it lies in, once it holds dead letters', async () => {
    const { target, commits } = memoryTarget()
    const folder = makeTempFolder()
    const path = writeFile('a.csv', HEADER + line('1') + line('x'), folder)
    const dlq = join(folder, 'bad.csv')
    for (const before of ['', undefined]) {
      if (before !== undefined) writeFileSync(dlq, before)
      const reports = await finals(load(target, { files: [folder], dlq, again: true }))
      expect(reports.map(({ file, state }) => [file, state])).toEqual([[path, 'loaded']])
    }
    expect(commits).toHaveLength(2)
    expect(readFileSync(dlq, 'utf8').trimEnd().split('\r\n')).toHaveLength(3)
    await expect(finals(load(target, { files: [folder, dlq], dlq }))).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    rmSync(path)
    await expect(finals(load(target, { files: [folder], dlq }))).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})
