// A disk that has no room for all that is put on it: a batch is there whole or not at all, and said to be so.
import { readdirSync, statSync } from 'node:fs'
import { open as openFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createSpill, type SpillDamage } from '../../../../src/main/sources/binance/spill.ts'
import { makeTempFolder } from '../../../support/temp-folder.ts'
import { DISKS, NO_MOUNT, smallDisk, type SmallDisk } from './small-disk.ts'
import { produced, takeAll } from './spilled.ts'

const TEN_KB = 'x'.repeat(10_000)
const batch = (number: number) => produced([`${number} ${TEN_KB}`])
const given = (...numbers: number[]) => numbers.map(number => `t k0=${number} ${TEN_KB}`)
const refusal = { code: 'UNAVAILABLE', message: expect.stringMatching(/disk at .*ENOSPC.*Make room/) as string }

async function open({ folder, open }: Pick<SmallDisk, 'folder' | 'open'>, damages: SpillDamage[] = []) {
  const spill = await createSpill({ folder, maxBytes: 1e9, open, onDamage: damage => damages.push(damage) })
  onTestFinished(() => spill.close().catch(() => {}))
  return spill
}

const spillFiles = ({ folder }: SmallDisk) => readdirSync(folder).filter(name => name.endsWith('.spill'))

describe.each(DISKS)('a disk that is full (%s)', kind => {
  it('takes a batch whole or not at all, gives the room of a part back, and takes more when there is room', async context => {
    const disk = smallDisk(kind)
    if (!disk) return context.skip(NO_MOUNT)
    const spill = await open(disk)
    await spill.put('t', batch(0))
    disk.fillBut(25_000)
    await spill.put('t', batch(1))
    await spill.put('t', batch(2))
    for (let i = 0; i < 3; i++) await expect(spill.put('t', batch(3))).rejects.toMatchObject(refusal)
    expect(spill.count()).toBe(3)
    expect(statSync(join(disk.folder, spillFiles(disk)[0])).size).toBe(spill.bytes())
    disk.makeRoom()
    await spill.put('t', batch(4))
    await spill.close()
    const damages: SpillDamage[] = []
    const again = await open(disk, damages)
    await again.put('t', batch(5))
    expect(await takeAll(again)).toEqual(given(0, 1, 2, 4, 5))
    expect(damages).toEqual([])
  })

  it('that refuses a batch larger than a file is asked again for the same file, and gives what comes after', async context => {
    const disk = smallDisk(kind)
    if (!disk) return context.skip(NO_MOUNT)
    const spill = await open(disk)
    const large = produced(['x'.repeat(17 * 1024 * 1024)])
    for (let i = 0; i < 3; i++) await expect(spill.put('t', large)).rejects.toMatchObject(refusal)
    expect(spillFiles(disk)).toHaveLength(1)
    await spill.put('t', batch(0))
    expect(await takeAll(spill)).toEqual(given(0))
  })

  it('gives back and lets go of all that is on it, from the first batch on, and has its room again', async context => {
    const disk = smallDisk(kind)
    if (!disk) return context.skip(NO_MOUNT)
    const spill = await open(disk)
    disk.fillBut(25_000)
    await spill.put('t', batch(0))
    await spill.put('t', batch(1))
    await expect(spill.put('t', batch(2))).rejects.toMatchObject(refusal)
    disk.fillBut(0)
    await spill.first()
    await spill.drop()
    await spill.close()
    const again = await open(disk)
    expect(await takeAll(again)).toEqual(given(1))
    await again.put('t', batch(3))
    expect(await takeAll(again)).toEqual(given(3))
  })

  it('is said to be so when there is no room to begin, and is no other process’s then', async context => {
    const disk = smallDisk(kind)
    if (!disk) return context.skip(NO_MOUNT)
    disk.fillBut(0)
    for (let i = 0; i < 2; i++) await expect(open(disk)).rejects.toMatchObject(refusal)
    disk.makeRoom()
    const spill = await open(disk)
    await spill.put('t', batch(0))
    expect(await takeAll(spill)).toEqual(given(0))
  })
})

it.each([
  ['cannot be read', 'first', 'does not give it back: EIO'],
  ['takes no note', 'drop', 'does not let go'],
] as const)('a disk that %s is said to be so, and nothing is lost or repeated by it', async (_, act, why) => {
  let isBad = false
  const failing = async () => {
    if (isBad) throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' })
  }
  const badOpen: typeof openFile = async (...args) => {
    const handle = await openFile(...args)
    const read = handle.read.bind(handle) as (...args: unknown[]) => unknown
    const write = handle.write.bind(handle) as (...args: unknown[]) => unknown
    return Object.assign(handle, {
      read: async (...args: unknown[]) => failing().then(() => read(...args)),
      write: async (...args: unknown[]) => failing().then(() => write(...args)),
    })
  }
  const spill = await open({ folder: makeTempFolder(), open: badOpen })
  for (const number of [0, 1, 2]) await spill.put('t', batch(number))
  if (act === 'drop') await spill.first()
  isBad = true
  for (let i = 0; i < 2; i++)
    await expect(spill[act]()).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining(why) as string,
    })
  expect(spill.count()).toBe(3)
  isBad = false
  expect(await spill.first()).toMatchObject({ number: 0 })
  expect(await takeAll(spill)).toEqual(given(0, 1, 2))
})
