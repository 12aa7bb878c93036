// A disk that has no room for all that is put on it: a batch is there whole or not at all, and said to be so.
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createSpill, type SpillDamage } from '../../../../src/main/sources/binance/spill.ts'
import { DISKS, NO_MOUNT, smallDisk, type SmallDisk } from './small-disk.ts'
import { produced, takeAll } from './spilled.ts'

const TEN_KB = 'x'.repeat(10_000)
const batch = (number: number) => produced([`${number} ${TEN_KB}`])
const given = (...numbers: number[]) => numbers.map(number => `t k0=${number} ${TEN_KB}`)
const refusal = { code: 'UNAVAILABLE', message: expect.stringMatching(/disk at .*ENOSPC.*Make room/) as string }

async function open({ folder, open }: SmallDisk, damages: SpillDamage[] = []) {
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
})
