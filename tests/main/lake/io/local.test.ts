import * as nodeDisk from 'node:fs/promises'
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Failure } from '../../../../src/contract/failure.ts'
import { isDraft } from '../../../../src/main/lake/io/drafts.ts'
import { localFiles, type Disk } from '../../../../src/main/lake/io/local.ts'
import { failureOf, listed, testFileContract } from '../../../support/file-contract.ts'
import { makeTempFolder } from '../../../support/temp-folder.ts'

const bytes = new TextEncoder().encode('whole file')

/** A disk whose calls and those of its open files are numbered; the n-th fails with this code, before it takes effect. */
function failingDisk(failAt: number, code: string): { disk: Disk; calls: () => string[] } {
  const calls: string[] = []
  function numbered<T extends object>(target: T): T {
    return new Proxy(target, {
      get(_, name) {
        const value: unknown = Reflect.get(target, name)
        if (typeof value !== 'function') return value
        return async (...args: unknown[]) => {
          calls.push(String(name))
          const failing = calls.length - 1 === failAt
          // A file that cannot be closed is closed all the same, as close(2) does.
          if (failing && name !== 'close') throw Object.assign(new Error(`${code}: ${String(name)}`), { code })
          const result: unknown = await Reflect.apply(value, target, args)
          if (failing) throw Object.assign(new Error(`${code}: ${String(name)}`), { code })
          return name === 'open' ? numbered(result as object) : result
        }
      },
    })
  }
  return { disk: numbered({ ...nodeDisk }), calls: () => calls }
}

const filesBelow = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))

describe('files in a folder, named by URL', () => {
  testFileContract(async () => ({ io: localFiles(), root: `file://${makeTempFolder()}` }))
})

describe('files in a folder, named as Java does', () => {
  testFileContract(async () => ({ io: localFiles(), root: `file:${makeTempFolder()}` }))
})

describe('files in a folder, named by path, on a disk without hard links', () => {
  const refuse = async () => Promise.reject(Object.assign(new Error('no links'), { code: 'EPERM' }))
  testFileContract(async () => ({ io: localFiles({ ...nodeDisk, link: refuse }), root: makeTempFolder() }))
})

describe('files in a folder', () => {
  it.each(['ENOSPC', 'EIO'])('leave nothing behind when any one call of the disk fails with %s', async code => {
    let n = 0
    for (let failed = true; failed; n++) {
      const folder = makeTempFolder()
      const { disk, calls } = failingDisk(n, code)
      const io = localFiles(disk)
      const location = join(folder, 'a/b/file.bin')
      const end = await io.write(location, bytes).then(
        () => undefined,
        (error: unknown) => error,
      )
      failed = calls().length > n
      if (end !== undefined) {
        expect(end).toBeInstanceOf(Failure)
        expect(filesBelow(folder), calls().join(' ')).toEqual([])
        await io.write(location, bytes)
      }
      expect(filesBelow(folder)).toEqual([location])
      expect(readFileSync(location)).toEqual(Buffer.from(bytes))
    }
    expect(n).toBeGreaterThan(15)
  })

  it('leave no part of an adopted file when any one call of the disk fails', async () => {
    let n = 0
    for (let failed = true; failed; n++) {
      const folder = makeTempFolder()
      const draft = join(folder, '.draft-1')
      writeFileSync(draft, bytes)
      const { disk, calls } = failingDisk(n, 'ENOSPC')
      const location = join(folder, 'a/file.bin')
      const end = await localFiles(disk)
        .adopt(draft, location)
        .then(
          () => undefined,
          (error: unknown) => error,
        )
      failed = calls().length > n
      if (end === undefined) expect(filesBelow(folder)).toEqual([location])
      else expect(filesBelow(folder).filter(path => !isDraft(path))).toEqual([])
    }
    expect(n).toBeGreaterThan(10)
  })

  it.each([
    ['ENOSPC', 'UNAVAILABLE', /disk is full.*Nothing was left behind.*Free space/],
    ['EACCES', 'FORBIDDEN', /not open to this user.*right to its folder/],
    ['EROFS', 'FORBIDDEN', /mounted for reading only/],
    ['EMFILE', 'UNAVAILABLE', /too many files open.*ulimit -n/],
  ])('say what to do at %s', async (errno, code, text) => {
    const open = async () => Promise.reject(Object.assign(new Error(errno), { code: errno }))
    const location = join(makeTempFolder(), 'file.bin')
    const failure = await failureOf(localFiles({ ...nodeDisk, open }).write(location, bytes))
    expect(failure).toMatchObject({ code, details: { location, errno } })
    expect(failure.message).toMatch(text)
  })

  it('cross from another disk by a copy that is a draft until it is whole', async () => {
    const folder = makeTempFolder()
    const draft = join(makeTempFolder(), '.draft-1')
    writeFileSync(draft, bytes)
    const link: Disk['link'] = async (from, to) => {
      if (from === draft) throw Object.assign(new Error('other disk'), { code: 'EXDEV' })
      await nodeDisk.link(from, to)
    }
    await localFiles({ ...nodeDisk, link }).adopt(draft, join(folder, 'file.bin'))
    expect(filesBelow(folder)).toEqual([join(folder, 'file.bin')])
    expect(readFileSync(join(folder, 'file.bin'))).toEqual(Buffer.from(bytes))
  })

  it('sync the file before it gets its name, the folder after, and every new folder', async () => {
    const { disk, calls } = failingDisk(-1, '')
    const folder = makeTempFolder()
    await localFiles(disk).write(join(folder, 'new/file.bin'), bytes)
    const order = calls().filter(name => ['mkdir', 'writeFile', 'sync', 'link', 'unlink'].includes(name))
    expect(order.slice(-8).join(' ')).toBe('sync mkdir sync writeFile sync link unlink sync')
  })

  it('share the sync of a folder among writers that wait for it', async () => {
    const { disk, calls } = failingDisk(-1, '')
    const folder = makeTempFolder()
    const io = localFiles(disk)
    await io.write(join(folder, 'first'), bytes)
    const before = calls().filter(name => name === 'sync').length
    await Promise.all(Array.from({ length: 32 }, (_, i) => io.write(join(folder, `${i}`), bytes)))
    const syncs = calls().filter(name => name === 'sync').length - before - 32
    expect(syncs).toBeGreaterThan(0)
    expect(syncs).toBeLessThan(32)
  })

  it('are written again into a folder that was removed meanwhile', async () => {
    const folder = makeTempFolder()
    const io = localFiles()
    await io.write(join(folder, 'a/b/one'), bytes)
    rmSync(join(folder, 'a'), { recursive: true })
    await io.write(join(folder, 'a/b/two'), bytes)
    expect(filesBelow(folder)).toEqual([join(folder, 'a/b/two')])
  })

  it('list drafts too, so that stray ones can be found, and follow no link to a folder', async () => {
    const folder = makeTempFolder()
    const io = localFiles()
    writeFileSync(await io.draftPath(join(folder, 'data/file.parquet')), bytes)
    mkdirSync(join(folder, 'other'))
    symlinkSync(folder, join(folder, 'other/loop'))
    const files = await listed(io, folder)
    expect(files.map(file => isDraft(file.location))).toEqual([true])
  })

  it('refuse a folder, a place below a file and a place in S3 by name', async () => {
    const folder = makeTempFolder()
    const io = localFiles()
    await io.write(join(folder, 'file'), bytes)
    const attempts = [
      () => io.read(folder),
      () => io.write(join(folder, 'file/below'), bytes),
      () => io.write('s3://bucket/key', bytes),
    ]
    for (const attempt of attempts) expect((await failureOf(attempt())).code).toBe('INVALID_INPUT')
  })
})
