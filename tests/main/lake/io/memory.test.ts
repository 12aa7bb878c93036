import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { describe, expect, it, onTestFinished } from 'vitest'
import { memoryFiles } from '../../../../src/main/lake/io/memory.ts'
import { testFileContract } from '../../../support/file-contract.ts'

function openMemory() {
  const io = memoryFiles()
  onTestFinished(() => io.close())
  return io
}

describe('files in memory, named as in a folder', () => {
  testFileContract(async () => ({ io: openMemory(), root: `file:///lake/${randomUUID()}` }))
})

describe('files in memory, named as in S3', () => {
  testFileContract(async () => ({ io: openMemory(), root: `s3://bucket/${randomUUID()}` }))
})

describe('files in memory', () => {
  it('can be damaged by a test', async () => {
    const io = openMemory()
    await io.write('file:///a', Uint8Array.of(1))
    io.replace('/a', Uint8Array.of(2, 3))
    expect(await io.read('file:/a')).toEqual(Uint8Array.of(2, 3))
    expect(io.locations()).toEqual(['/a'])
  })

  it('leave no file on the disk after close', async () => {
    const io = memoryFiles()
    await io.write('/a', Uint8Array.of(1))
    const { path } = await io.open('/a')
    expect(existsSync(path)).toBe(true)
    await io.close()
    expect(existsSync(path)).toBe(false)
  })
})
