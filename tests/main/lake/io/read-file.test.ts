import { fstatSync, openSync, readSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { readFile, type ReadCalls } from '../../../../src/main/lake/io/read-file.ts'
import { makeTempFolder } from '../../../support/temp-folder.ts'

const FIRST = 16 * 1024

function fileOf(length: number) {
  const path = join(makeTempFolder(), 'file.bin')
  const bytes = Buffer.from(Uint8Array.from({ length }, (_, i) => (i * 31) % 251))
  writeFileSync(path, bytes)
  return { path, bytes, read: (range?: { start: number; length: number }) => readFile(path, path, range) }
}

const calls = (changes: Partial<ReadCalls>): ReadCalls => ({
  open: async (path, flags) => openSync(path, flags),
  fstat: async file => fstatSync(file),
  read: async (file, into, at, length, from) => ({ bytesRead: readSync(file, into, at, length, from) }),
  ...changes,
})

it.each([0, 1, 7_000, FIRST - 1, FIRST, FIRST + 1, 300_000])(
  'gives all of a file of %d bytes, and no memory beside it',
  async length => {
    const { bytes, read } = fileOf(length)
    const found = await read()
    expect(found).toEqual(bytes)
    expect(found.buffer.byteLength).toBe(length)
  },
)

it('gives a part of it, by as many reads as it takes', async () => {
  const { path, bytes, read } = fileOf(200_000)
  const range = { start: 1_000, length: 150_000 }
  const wanted = bytes.subarray(1_000, 151_000)
  expect(await read(range)).toEqual(wanted)
  const few = calls({
    read: async (file, into, at, length, from) => ({
      bytesRead: readSync(file, into, at, Math.min(length, 9_999), from),
    }),
  })
  expect(await readFile(path, path, range, undefined, few)).toEqual(wanted)
})

it('says how long it is when more was asked for', async () => {
  const { path, read } = fileOf(100)
  for (const range of [
    { start: 50, length: 51 },
    { start: 400, length: 1 },
    { start: 0, length: 2 ** 52 }, // no memory is taken for what is not there
  ])
    await expect(read(range)).rejects.toMatchObject({
      code: 'CORRUPT',
      details: { location: path, bytes: 100, needed: range.start + range.length },
    })
})

it.each([3, FIRST + 5])('calls one that shrinks to %d bytes while it is read CORRUPT', async left => {
  const { path } = fileOf(FIRST * 2)
  const shrinking = calls({
    fstat: async file => {
      const found = fstatSync(file)
      truncateSync(path, left)
      return left < FIRST ? fstatSync(file) : found
    },
  })
  await expect(readFile(path, path, undefined, undefined, shrinking)).rejects.toMatchObject({
    code: 'CORRUPT',
    details: { location: path, bytes: left },
  })
})

it('stops between reads when nobody waits any more', async () => {
  const { path } = fileOf(FIRST * 2)
  const abort = new AbortController()
  const leaving = calls({
    fstat: async file => {
      abort.abort()
      return fstatSync(file)
    },
  })
  await expect(readFile(path, path, undefined, abort.signal, leaving)).rejects.toMatchObject({ code: 'CANCELLED' })
})
