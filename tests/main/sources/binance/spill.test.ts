// What the log cannot take lies on the disk, whole and in order, whatever happens to the process.
import { appendFileSync, existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it, onTestFinished } from 'vitest'
import type { Produced } from '../../../../src/main/log/message-log.ts'
import { createSpill, type Spill } from '../../../../src/main/sources/binance/spill.ts'
import { makeTempFolder } from '../../../support/temp-folder.ts'

function produced(values: readonly string[], keyOf = (i: number) => `k${i}`): Produced {
  const bytes = values.map(value => Buffer.from(value))
  let end = 0
  return {
    count: values.length,
    keys: values.map((_, i) => keyOf(i)),
    values: Buffer.concat(bytes),
    ends: Uint32Array.from(bytes, ({ length }) => (end += length)),
  }
}

function textsOf({ count, keys, values, ends }: Produced): string[] {
  const text = (i: number) => Buffer.from(values.subarray(i === 0 ? 0 : ends[i - 1], ends[i])).toString()
  return Array.from({ length: count }, (_, i) => `${keys[i]}=${text(i)}`)
}

async function open(folder: string, maxBytes = 1e8, onDamage?: (file: string, bytes: number) => void): Promise<Spill> {
  const spill = await createSpill({ folder, maxBytes, onDamage })
  onTestFinished(() => spill.close().catch(() => {}))
  return spill
}

async function takeAll(spill: Spill): Promise<string[]> {
  const texts: string[] = []
  for (let batch = await spill.first(); batch; batch = await spill.first()) {
    texts.push(...textsOf(batch.messages).map(text => `${batch.topic} ${text}`))
    await spill.drop()
  }
  return texts
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
  const damages: number[] = []
  const again = await open(folder, 1e8, (_, bytes) => damages.push(bytes))
  expect(again.count()).toBe(1)
  expect(damages).toHaveLength(1)
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
