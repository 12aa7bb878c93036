import { mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Failure } from '../../../src/contract/failure.ts'
import { companyInfo, writeFile } from '../../support/csv-files.ts'
import { makeTempFolder } from '../../support/temp-folder.ts'
import { finals, HEADER, line, load, memoryTarget } from './load-into-memory.ts'

describe('loading files', () => {
  it('commits each file once, and says at the end of each what came of it', async () => {
    const { target, commits, open } = memoryTarget()
    const folder = makeTempFolder()
    const a = writeFile('a.csv', HEADER + line('1') + line('2'), folder)
    const b = writeFile('b.csv.gz', HEADER + line('3'), folder)
    const reports = await finals(load(target, { files: [a, b] }))
    expect(reports).toEqual([
      expect.objectContaining({ file: a, state: 'loaded', rows: 2, bad_rows: 0, snapshot_id: '1' }),
      expect.objectContaining({ file: b, state: 'loaded', rows: 1, bad_rows: 0, snapshot_id: '2' }),
    ])
    expect(reports[0].bytes_read).toBe(reports[0].bytes_total)
    expect(commits.map(({ table, rows }) => [table, rows.length])).toEqual([
      ['trades', 2],
      ['trades', 1],
    ])
    expect(open.size).toBe(0)
  })

  it('loads no content twice, unless it is told to, and then gives the same rows', async () => {
    const { target, commits } = memoryTarget()
    const files = [writeFile('a.csv', HEADER + line('1')), writeFile('copy.csv.gz', HEADER + line('1'))]
    expect((await finals(load(target, { files }))).map(({ state }) => state)).toEqual(['loaded', 'skipped'])
    const [skipped] = await finals(load(target, { files: [files[0]] }))
    expect(skipped).toMatchObject({
      state: 'skipped',
      snapshot_id: '1',
      why: expect.stringContaining('--again') as string,
    })
    await finals(load(target, { files: [files[0]], again: true }))
    expect(commits).toHaveLength(2)
    expect(commits[1].rows).toEqual(commits[0].rows)
  })

  it('goes on with the next file when one fails, and leaves nothing of that one', async () => {
    const { target, commits, aborted } = memoryTarget()
    const files = [
      writeFile('wrong.csv', 'hello\n'),
      writeFile('all-bad.csv', HEADER + line('x') + line('y')),
      writeFile('good.csv', HEADER + line('1')),
    ]
    const reports = await finals(load(target, { files }))
    expect(reports.map(({ state }) => state)).toEqual(['failed', 'failed', 'loaded'])
    expect(reports[0].why).toContain('neither a header of the k2 form')
    expect(reports[1]).toMatchObject({
      bad_rows: 2,
      why: expect.stringContaining('line 2: price "x" is not a number') as string,
    })
    expect(commits.map(({ name }) => name)).toEqual([files[2]])
    expect(aborted()).toBe(1)
    expect(readdirSync(join(files[1], '..'))).toEqual(['all-bad.csv'])
  })

  it('ends at a failure that the next file would meet too', async () => {
    const { target, commits } = memoryTarget({
      onCommit: () => {
        throw new Failure('UNAVAILABLE', 'The disk is full; make room and load again.')
      },
    })
    const files = [writeFile('a.csv', HEADER + line('1')), writeFile('b.csv', HEADER + line('2'))]
    await expect(finals(load(target, { files }))).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(commits).toEqual([])
  })

  it('does not call back a commit that may have happened', async () => {
    const { target, aborted } = memoryTarget({
      onCommit: () => {
        throw new Failure('UNAVAILABLE', 'The connection broke.')
      },
    })
    await expect(finals(load(target, { files: [writeFile('a.csv', HEADER + line('1'))] }))).rejects.toThrow('broke')
    expect(aborted()).toBe(0)
  })

  it('of a file without rows commits nothing', async () => {
    const { target, commits } = memoryTarget()
    const [report] = await finals(load(target, { files: [writeFile('a.csv', HEADER)] }))
    expect(report).toMatchObject({ state: 'loaded', rows: 0, why: 'It has no rows.' })
    expect(commits).toEqual([])
  })

  it('aborts the file in work when it is cancelled, and leaves the finished ones', async () => {
    const abort = new AbortController()
    const { target, commits, open, aborted } = memoryTarget({ onAppend: () => commits.length === 1 && abort.abort() })
    const files = ['1', '2', '3'].map(price => writeFile('a.csv', HEADER + line(price)))
    await expect(finals(load(target, { files }, abort.signal))).rejects.toThrow('aborted')
    expect(commits.map(({ name }) => name)).toEqual([files[0]])
    expect({ open: open.size, aborted: aborted() }).toEqual({ open: 0, aborted: 1 })
  })

  it('aborts when its reader leaves, and has ended by then', async () => {
    const { target, commits, open } = memoryTarget()
    const files = Array.from({ length: 50 }, (_, i) => writeFile('a.csv', HEADER + line(String(i))))
    for await (const report of load(target, { files })) {
      expect(report.file).toBe(files[0])
      break
    }
    const count = commits.length
    await new Promise(resolve => setTimeout(resolve, 50))
    expect(commits.length).toBe(count)
    expect(count).toBeLessThan(50)
    expect(open.size).toBe(0)
  })

  it('tells how far it is, at most five times a second', async () => {
    const { target } = memoryTarget()
    const path = writeFile('a.csv', HEADER + line('1').repeat(60_000))
    let loading = 0
    for await (const report of load(target, { files: [path] })) if (report.state === 'loading') loading++
    // The test's clock stands still.
    expect(loading).toBe(1)
  })

  it.each([
    [{ files: ['/no/such'] }, 'NOT_FOUND', 'There is no file or folder /no/such'],
    [{ files: ['/tmp'], to: 'kafka' }, 'INVALID_INPUT', 'no Kafka'],
    [{ files: ['/tmp'], timezone: 'Mars/Olympus' }, 'INVALID_INPUT', 'no time zone Mars/Olympus'],
    [{ files: [import.meta.filename], reference: '/no/such.csv' }, 'NOT_FOUND', 'no file /no/such.csv'],
  ] as const)('%j is refused before anything is loaded', async (input, code, message) => {
    await expect(finals(load(memoryTarget().target, { ...input, files: [...input.files] }))).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message) as string,
    })
  })
})

describe('folders', () => {
  it('are searched for files by their names, in the same order every time, none twice', async () => {
    const { target, commits } = memoryTarget()
    const folder = makeTempFolder()
    const names = ['b/1.csv', 'a.csv', 'b/a/2.CSV', 'notes.txt', '.hidden.csv', 'a.csv.dead.csv', 'z.csv.gz']
    names.forEach((name, i) => writeFile(name, HEADER + line(String(i)), folder))
    mkdirSync(join(folder, 'empty'))
    symlinkSync(folder, join(folder, 'loop'))
    symlinkSync(join(folder, 'a.csv'), join(folder, 'link.csv'))
    await finals(load(target, { files: [folder, join(folder, 'a.csv')] }))
    expect(commits.map(({ name }) => name.slice(folder.length + 1))).toEqual([
      'a.csv',
      'b/1.csv',
      'b/a/2.CSV',
      'z.csv.gz',
    ])
    await expect(finals(load(target, { files: [join(folder, 'empty')] }))).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('may hold trades, quotes and the reference file together', async () => {
    const { target, commits } = memoryTarget()
    const folder = makeTempFolder()
    writeFile('7078_trades.csv', '03/10/2014,10:00:00,1,2,,A,\r\n', folder)
    writeFile('7078_quotes.csv', '03/10/2014,10:00:00,1,2,3,4\r\n', folder)
    const reference = writeFile('company_info.csv', companyInfo, folder)
    await finals(load(target, { files: [folder], reference }))
    expect(commits.map(({ table, rows }) => [table, rows.length])).toEqual([
      ['quotes', 1],
      ['trades', 1],
      ['reference_data', 4],
    ])
  })
})
