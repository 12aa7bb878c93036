import * as nodeDisk from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { durableFolders, type FolderDisk } from '../../../../src/main/lake/io/durable-folders.ts'
import { makeTempFolder } from '../../../support/temp-folder.ts'

/** A disk whose syncs take some turns; `synced` tells, of the last one that ended, when it began. */
function slowDisk(turns: () => number) {
  const disk = { now: 0, begun: 0, synced: -1, isFailing: false }
  const open = async () => ({
    async sync() {
      const began = disk.now++
      disk.begun++
      for (let turn = turns(); turn > 0; turn--) await Promise.resolve()
      if (disk.isFailing) throw Object.assign(new Error('disk'), { code: 'EIO' })
      disk.synced = Math.max(disk.synced, began)
    },
    async close() {},
  })
  return { disk, folders: durableFolders({ ...nodeDisk, open } as unknown as FolderDisk) }
}

describe('the sync of a folder', () => {
  it('began after each call that it answers, however many wait', async () => {
    const property = fc.asyncProperty(
      fc.array(fc.record({ pause: fc.nat(6), turns: fc.nat(20) }), { minLength: 1, maxLength: 40 }),
      async calls => {
        let n = 0
        const { disk, folders } = slowDisk(() => calls[n++ % calls.length].turns)
        const waiting: Promise<void>[] = []
        for (const { pause } of calls) {
          for (let turn = 0; turn < pause; turn++) await Promise.resolve()
          const calledAt = disk.now++
          waiting.push(folders.sync('/folder').then(() => expect(disk.synced).toBeGreaterThan(calledAt)))
        }
        await Promise.all(waiting)
        expect(disk.begun).toBeLessThanOrEqual(calls.length)
      },
    )
    await fc.assert(property, { numRuns: 300 })
  })

  it('is shared: of a hundred calls at once, two syncs are made', async () => {
    const { disk, folders } = slowDisk(() => 50)
    await Promise.all(Array.from({ length: 100 }, () => folders.sync('/folder')))
    expect(disk.begun).toBe(2)
  })

  it('that fails is told to those who waited for it, and the next is made anew', async () => {
    const { disk, folders } = slowDisk(() => 5)
    disk.isFailing = true
    const ends = await Promise.allSettled([folders.sync('/folder'), folders.sync('/folder')])
    expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    disk.isFailing = false
    await folders.sync('/folder')
    expect(disk.begun).toBe(3)
  })

  it('that failed while a folder was made lets the folder be made durable later', async () => {
    const folder = join(makeTempFolder(), 'a/b')
    const { disk, folders } = slowDisk(() => 1)
    disk.isFailing = true
    await expect(folders.ensure(folder)).rejects.toThrow('disk')
    disk.isFailing = false
    await folders.ensure(folder)
    expect((await nodeDisk.stat(folder)).isDirectory()).toBe(true)
    const begun = disk.begun
    await folders.ensure(folder)
    expect(disk.begun).toBe(begun)
  })
})
