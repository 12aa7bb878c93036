// What every place for files promises, as one suite: a folder, memory, S3.
import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Failure } from '../../src/contract/failure.ts'
import type { FileIO, ListedFile } from '../../src/main/lake/io/file-io.ts'
import { joinLocation } from '../../src/main/lake/io/location.ts'

export interface Files {
  io: FileIO
  /** A folder that no other test uses. */
  root: string
}

const bytesOf = (text: string) => new TextEncoder().encode(text)
const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString()

/** All below a folder, by name. */
export async function listed(io: FileIO, folder: string): Promise<ListedFile[]> {
  const files: ListedFile[] = []
  for await (const file of io.list(folder)) files.push(file)
  return files.sort((a, b) => (a.location < b.location ? -1 : 1))
}

async function draftOf(io: FileIO, location: string, text: string): Promise<string> {
  const draft = await io.draftPath(location)
  writeFileSync(draft, text)
  return draft
}

export async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const error: unknown = await work.then(
    value => expect.fail(`expected a failure, got ${String(value)}`),
    (error: unknown) => error,
  )
  expect(error).toBeInstanceOf(Failure)
  return error as Failure
}

/** To be called inside of a `describe`. */
export function testFileContract(openFiles: () => Promise<Files>, numRuns = 50): void {
  it('gives back what was written, whole or by range', async () => {
    const { io, root } = await openFiles()
    const location = joinLocation(root, 'a/b/one.bin')
    await io.write(location, bytesOf('0123456789'))
    expect(textOf(await io.read(location))).toBe('0123456789')
    expect(textOf(await io.read(location, { start: 3, length: 4 }))).toBe('3456')
    expect(textOf(await io.read(location, { start: 10, length: 0 }))).toBe('')
  })

  it('reads any range of any bytes exactly, and calls a range beyond the end CORRUPT', async () => {
    const { io, root } = await openFiles()
    const property = fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.nat(320), fc.nat(320), async (...args) => {
      const [bytes, start, length] = args
      const location = joinLocation(root, randomUUID())
      await io.write(location, bytes)
      expect(Buffer.from(await io.read(location)).equals(bytes)).toBe(true)
      if (start + length > bytes.length) {
        const failure = await failureOf(io.read(location, { start, length }))
        expect(failure.code).toBe('CORRUPT')
        expect(failure.message).toContain(location)
      } else {
        const part = await io.read(location, { start, length })
        expect(Buffer.from(part).equals(bytes.subarray(start, start + length))).toBe(true)
      }
    })
    await fc.assert(property, { numRuns })
  })

  it('takes names with spaces, percent signs and letters of any language as they are', async () => {
    const { io, root } = await openFiles()
    const names = [
      'a b.bin',
      'a%20b.bin',
      'a+b.bin',
      '100%.bin',
      'börse.bin',
      '株.bin',
      "it's.bin",
      'a=1&b.bin',
      'x/y z.bin',
    ]
    const locations = names.map(name => joinLocation(root, name))
    for (const location of locations) await io.write(location, bytesOf(location))
    for (const location of locations) expect(textOf(await io.read(location))).toBe(location)
    expect((await listed(io, root)).map(file => file.location)).toEqual([...locations].sort())
  })

  it('never replaces a file', async () => {
    const { io, root } = await openFiles()
    const location = joinLocation(root, 'once.bin')
    await io.write(location, bytesOf('first'))
    const failure = await failureOf(io.write(location, bytesOf('second')))
    expect(failure.code).toBe('CONFLICT')
    expect(failure.message).toContain(location)
    expect(textOf(await io.read(location))).toBe('first')
    expect(await listed(io, root)).toHaveLength(1)
  })

  it('lets one of many writers of a name win', async () => {
    const { io, root } = await openFiles()
    const location = joinLocation(root, 'race.bin')
    const texts = Array.from({ length: 8 }, (_, i) => `writer ${i}`)
    const ends = await Promise.allSettled(texts.map(text => io.write(location, bytesOf(text))))
    const winners = texts.filter((_, i) => ends[i].status === 'fulfilled')
    expect(winners).toHaveLength(1)
    expect(textOf(await io.read(location))).toBe(winners[0])
    const reasons = ends.flatMap(end => (end.status === 'rejected' ? [(end.reason as Failure).code] : []))
    expect(new Set(reasons)).toEqual(new Set(['CONFLICT']))
  })

  it('adopts a finished local file, which is gone afterwards', async () => {
    const { io, root } = await openFiles()
    const location = joinLocation(root, 'new folder/data.parquet')
    const draft = await draftOf(io, location, 'PAR1')
    await io.adopt(draft, location)
    expect(textOf(await io.read(location))).toBe('PAR1')
    expect(existsSync(draft)).toBe(false)
    expect((await listed(io, root)).map(({ location, bytes }) => ({ location, bytes }))).toEqual([
      { location, bytes: 4 },
    ])
  })

  it('adopts nothing over a file that is there, and the local one is gone all the same', async () => {
    const { io, root } = await openFiles()
    const location = joinLocation(root, 'data.parquet')
    await io.write(location, bytesOf('first'))
    const draft = await draftOf(io, location, 'second')
    expect((await failureOf(io.adopt(draft, location))).code).toBe('CONFLICT')
    expect(existsSync(draft)).toBe(false)
    expect(textOf(await io.read(location))).toBe('first')
    expect(await listed(io, root)).toHaveLength(1)
  })

  it('says which local file is missing when there is none to adopt', async () => {
    const { io, root } = await openFiles()
    const draft = await io.draftPath(joinLocation(root, 'data.parquet'))
    const failure = await failureOf(io.adopt(draft, joinLocation(root, 'data.parquet')))
    expect(failure.code).toBe('NOT_FOUND')
    expect(failure.message).toContain(draft)
    expect(await listed(io, root)).toEqual([])
  })

  it('opens a file as a path on this machine until it is released', async () => {
    const { io, root } = await openFiles()
    const location = joinLocation(root, 'data.parquet')
    await io.write(location, bytesOf('PAR1'))
    const [one, two] = await Promise.all([io.open(location), io.open(location)])
    one.release()
    one.release()
    expect(readFileSync(two.path, 'utf8')).toBe('PAR1')
    two.release()
    const again = await io.open(location)
    expect(readFileSync(again.path, 'utf8')).toBe('PAR1')
    again.release()
  })

  it('names a file that is not there', async () => {
    const { io, root } = await openFiles()
    const location = joinLocation(root, 'nowhere/none.bin')
    for (const work of [
      () => io.read(location),
      () => io.read(location, { start: 0, length: 4 }),
      () => io.open(location),
    ]) {
      const failure = await failureOf(work())
      expect(failure.code).toBe('NOT_FOUND')
      expect(failure.message).toContain(location)
    }
  })

  it('removes a file, and does not mind when it is gone already', async () => {
    const { io, root } = await openFiles()
    const location = joinLocation(root, 'a/one.bin')
    await io.write(location, bytesOf('1'))
    expect(textOf(await io.read(location))).toBe('1')
    await io.remove(location)
    await io.remove(location)
    expect((await failureOf(io.read(location))).code).toBe('NOT_FOUND')
    expect(await listed(io, root)).toEqual([])
    await io.write(location, bytesOf('2'))
    expect(textOf(await io.read(location))).toBe('2')
  })

  it('lists all below a folder, with sizes and times, and nothing beside it', async () => {
    const { io, root } = await openFiles()
    const startMs = Date.now()
    const names = ['t/a.bin', 't/b/c.bin', 't/b/d/e.bin', 'tt/no.bin']
    for (const name of names) await io.write(joinLocation(root, name), bytesOf(name))
    for (const folder of [joinLocation(root, 't'), joinLocation(root, 't/')]) {
      const files = await listed(io, folder)
      expect(files.map(file => file.location)).toEqual(names.slice(0, 3).map(name => joinLocation(root, name)))
      expect(files.map(file => file.bytes)).toEqual([7, 9, 11])
      for (const file of files) expect(Math.abs(file.modifiedMs - startMs)).toBeLessThan(60_000)
    }
    expect(await listed(io, joinLocation(root, 'none'))).toEqual([])
  })

  it('does nothing once it is no longer wanted', async () => {
    const { io, root } = await openFiles()
    const location = joinLocation(root, 'late.bin')
    const draft = await draftOf(io, location, 'late')
    const signal = AbortSignal.abort()
    expect((await failureOf(io.write(location, bytesOf('late'), signal))).code).toBe('CANCELLED')
    expect((await failureOf(io.adopt(draft, location, signal))).code).toBe('CANCELLED')
    expect(existsSync(draft)).toBe(false)
    expect(await listed(io, root)).toEqual([])
    await io.write(location, bytesOf('there'))
    expect((await failureOf(io.read(location, undefined, signal))).code).toBe('CANCELLED')
    expect((await failureOf(io.open(location, signal))).code).toBe('CANCELLED')
  })
}
