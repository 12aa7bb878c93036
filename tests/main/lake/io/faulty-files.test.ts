import { describe, expect, it, onTestFinished } from 'vitest'
import { memoryFiles } from '../../../../src/main/lake/io/memory.ts'
import { failureOf, testFileContract } from '../../../support/file-contract.ts'
import { faultyFiles, type Fault } from '../../../support/faulty-files.ts'

const bytes = Uint8Array.of(1, 2, 3, 4)

function open(fault?: Fault) {
  const inner = memoryFiles()
  onTestFinished(() => inner.close())
  return { inner, io: faultyFiles(inner, fault) }
}

describe('faulty files without a fault', () => {
  testFileContract(async () => ({ io: open().io, root: 'file:///lake' }))
})

describe('a fault', () => {
  it.each([
    ['before', undefined],
    ['after', 4],
    ['half', 2],
  ] as const)('%s a write leaves %s bytes, and only at the operation it is meant for', async (how, left) => {
    const { inner, io } = open({ at: 1, only: ['write'], how })
    await io.write('/a', bytes)
    await io.read('/a')
    expect(io.struck()).toBe(false)
    expect((await failureOf(io.write('/b', bytes))).code).toBe('UNAVAILABLE')
    expect(io.struck()).toBe(true)
    const there = await inner.read('/b').catch(() => undefined)
    expect(there?.length).toBe(left)
    await io.write('/c', bytes)
    expect(io.operations()).toEqual(['write /a', 'read /a', 'write /b', 'write /c'])
  })

  it.each([
    ['hang', 0],
    ['hangAfter', 1],
  ] as const)('%s ends with the signal only, and leaves %i files', async (how, files) => {
    const { inner, io } = open({ at: 0, how })
    const leaving = new AbortController()
    const write = io.write('/a', bytes, leaving.signal)
    await io.whenStruck
    expect(inner.locations()).toHaveLength(files)
    leaving.abort()
    expect((await failureOf(write)).code).toBe('CANCELLED')
  })

  it('may last', async () => {
    const { io } = open({ at: 1, how: 'before', lasting: true })
    await io.write('/a', bytes)
    for (const name of ['/b', '/c']) expect((await failureOf(io.write(name, bytes))).code).toBe('UNAVAILABLE')
  })
})
