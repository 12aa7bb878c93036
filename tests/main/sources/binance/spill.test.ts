// What the log cannot take lies on the disk, whole and in order, whatever happens to the process.
import { appendFileSync, existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it, onTestFinished } from 'vitest'
import { createSpill, type Spill, type SpillDamage } from '../../../../src/main/sources/binance/spill.ts'
import { makeTempFolder } from '../../../support/temp-folder.ts'
import { produced, takeAll, textsOf } from './spilled.ts'

async function open(folder: string, maxBytes = 1e8, onDamage?: (damage: SpillDamage) => void): Promise<Spill> {
  const spill = await createSpill({ folder, maxBytes, onDamage })
  onTestFinished(() => spill.close().catch(() => {}))
  return spill
}

const spillFiles = (folder: string) => readdirSync(folder).filter(name => name.endsWith('.spill'))

it('gives back what it was given, oldest first, and leaves no file when it is empty', async () => {
  const folder = makeTempFolder()
  const spill = await open(folder)
  await spill.put('a', produced(['1', '', 'drei']))
  await spill.put(
    'b',
    produced(['Ünï'], () => 'schlüssel'),
  )
  expect(spill.count()).toBe(4)
  expect((await spill.first())?.number).toBe(0)
  expect((await spill.first())?.number).toBe(0)
  expect(await takeAll(spill)).toEqual(['a k0=1', 'a k1=', 'a k2=drei', 'b schlüssel=Ünï'])
  expect([spill.count(), spill.bytes(), await spill.first()]).toEqual([0, 0, undefined])
  expect(spillFiles(folder)).toEqual([])
  expect(await spill.put('a', produced(['again']))).toBe(2)
  expect(await takeAll(spill)).toEqual(['a k0=again'])
})

it('holds what was not dropped over a restart, and nothing that was', async () => {
  const folder = makeTempFolder()
  for (let run = 0; run < 3; run++) {
    const spill = await open(folder)
    const [held] = [await spill.first()]
    expect(held && textsOf(held.messages)).toEqual(run === 0 ? undefined : [`k0=${run - 1} second`])
    if (held) await spill.drop()
    for (const text of ['first', 'second']) await spill.put('t', produced([`${run} ${text}`]))
    await spill.first()
    await spill.drop()
    expect(spill.count()).toBe(1)
    await spill.close()
  }
})

it.each([1, 8, 15, 22, 29, 36])('cuts off what a crash has left half written: %d bytes short', async cut => {
  const folder = makeTempFolder()
  const spill = await open(folder)
  await spill.put('t', produced(['whole']))
  await spill.put('t', produced(['torn', 'torn too']))
  await spill.close()
  const file = join(folder, spillFiles(folder)[0])
  truncateSync(file, readFileSync(file).length - cut)
  const damages: SpillDamage[] = []
  const again = await open(folder, 1e8, damage => damages.push(damage))
  expect(again.count()).toBe(1)
  expect(damages).toEqual([{ file, bytes: expect.any(Number) as number, isEnd: true }])
  await again.put('t', produced(['after']))
  await again.close()
  expect(await takeAll(await open(folder))).toEqual(['t k0=whole', 't k0=after'])
})

it('takes no damaged bytes for messages', async () => {
  const folder = makeTempFolder()
  const spill = await open(folder)
  await spill.put('t', produced(['one']))
  await spill.put('t', produced(['two']))
  await spill.close()
  const file = join(folder, spillFiles(folder)[0])
  const bytes = readFileSync(file)
  bytes[bytes.length - 1] ^= 1
  writeFileSync(file, bytes)
  appendFileSync(file, Buffer.alloc(100))
  const again = await open(folder)
  expect(await takeAll(again)).toEqual(['t k0=one'])
})

const flip = (file: string, at: number) => {
  const bytes = readFileSync(file)
  bytes[at] ^= 1
  writeFileSync(file, bytes)
}

it('leaves out what the disk damages while it runs, says how many messages it was, and gives what is behind it', async () => {
  const folder = makeTempFolder()
  const damages: SpillDamage[] = []
  const spill = await open(folder, 1e8, damage => damages.push(damage))
  const ends: number[] = []
  for (const text of ['zero', 'one', 'two', 'three', 'four']) {
    await spill.put('t', produced([text, `${text} too`]))
    ends.push(spill.bytes())
  }
  const file = join(folder, spillFiles(folder)[0])
  expect(await spill.first()).toMatchObject({ number: 0 })
  for (const at of [0, ends[0] + 5, ends[2] + 20]) flip(file, at)
  truncateSync(file, ends[4] - 3)
  expect(await spill.first()).toMatchObject({ number: 2, messages: produced(['two', 'two too']) })
  expect(damages.splice(0)).toEqual([{ file, bytes: ends[1], messages: 4, isEnd: false }])
  expect(spill.count()).toBe(6)
  await spill.drop()
  expect(await spill.first()).toBeUndefined()
  expect(damages).toEqual([{ file, bytes: ends[4] - ends[2], messages: 4, isEnd: false }])
  expect([spill.count(), spill.bytes(), spillFiles(folder)]).toEqual([0, 0, []])
  expect(await spill.put('t', produced(['after']))).toBe(5)
  expect(await spill.first()).toMatchObject({ number: 5 })
  expect(await takeAll(spill)).toEqual(['t k0=after'])
})

it('hands out nothing but what it was given, and all but what was damaged, wherever that is', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.string({ maxLength: 30 }), { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 8 }),
      fc.array(fc.nat(1000), { minLength: 1, maxLength: 3 }),
      fc.boolean(),
      async (batches, places, isOpen) => {
        const folder = makeTempFolder()
        const damages: SpillDamage[] = []
        const begin = () => open(folder, 1e8, damage => damages.push(damage))
        let spill = await begin()
        const ends: number[] = []
        for (const texts of batches) {
          await spill.put('t', produced(texts))
          ends.push(spill.bytes())
        }
        const size = spill.bytes()
        const damagedAt = [...new Set(places.map(place => place % size))]
        if (!isOpen) await spill.close()
        for (const at of damagedAt) flip(join(folder, spillFiles(folder)[0]), at)
        if (!isOpen) spill = await begin()
        const isWhole = (i: number) => !damagedAt.some(at => at < ends[i] && at >= (ends[i - 1] ?? 0))
        const wanted = batches.filter((_, i) => isWhole(i))
        expect(await takeAll(spill)).toEqual(wanted.flatMap(texts => textsOf(produced(texts)).map(text => `t ${text}`)))
        const lost = ends.map((end, i) => (isWhole(i) ? 0 : end - (ends[i - 1] ?? 0))).reduce((sum, n) => sum + n)
        expect(damages.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(lost)
        await spill.close()
      },
    ),
    { numRuns: 60 },
  )
})

it('takes nothing beyond its size, and again when there is room', async () => {
  const spill = await open(makeTempFolder(), 1000)
  let count = 0
  while ((await spill.put('t', produced(['x'.repeat(80)]))) !== undefined) count++
  expect(count).toBeGreaterThan(5)
  expect(spill.bytes()).toBeLessThanOrEqual(1000)
  await spill.first()
  await spill.drop()
  expect(await spill.put('t', produced(['x'.repeat(80)]))).toBe(count)
  expect(spill.count()).toBe(count)
})

it('frees the room of what was dropped while it goes on', async () => {
  const folder = makeTempFolder()
  const spill = await open(folder, 1e9)
  const big = 'x'.repeat(1024 * 1024)
  for (let i = 0; i < 40; i++) await spill.put('t', produced([`${i} ${big}`]))
  expect(spillFiles(folder).length).toBeGreaterThan(2)
  for (let i = 0; i < 39; i++) {
    expect(textsOf((await spill.first())!.messages)[0].startsWith(`k0=${i} `)).toBe(true)
    await spill.drop()
  }
  expect(spillFiles(folder)).toHaveLength(1)
  await spill.close()
  const again = await open(folder, 1e9)
  expect(again.count()).toBe(1)
})

it('is one process’s at a time', async () => {
  const folder = makeTempFolder()
  const spill = await open(folder)
  await expect(createSpill({ folder, maxBytes: 1000 })).rejects.toMatchObject({ code: 'FORBIDDEN' })
  await spill.close()
  await (await open(folder)).close()
  expect(existsSync(join(folder, 'lock'))).toBe(false)
})

it('is a queue, whatever is put, dropped, and opened anew', async () => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.array(fc.string({ maxLength: 30 }), { minLength: 1, maxLength: 5 }) },
    { weight: 4, arbitrary: fc.constant('drop' as const) },
    { weight: 1, arbitrary: fc.constant('reopen' as const) },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async steps => {
      const folder = makeTempFolder()
      let spill = await open(folder)
      const model: string[][] = []
      for (const act of steps) {
        if (act === 'reopen') {
          await spill.close()
          spill = await open(folder)
        } else if (act === 'drop') {
          const first = await spill.first()
          expect(first && textsOf(first.messages)).toEqual(model.shift())
          await spill.drop()
        } else {
          await spill.put('t', produced(act))
          model.push(textsOf(produced(act)))
        }
        expect(spill.count()).toBe(model.flat().length)
      }
      expect(await takeAll(spill)).toEqual(model.flat().map(text => `t ${text}`))
      await spill.close()
    }),
    { numRuns: 40 },
  )
})
