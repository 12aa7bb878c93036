// The embedded log in a folder: there again at the next start, whatever ended it; full disks, damage, retention, locks.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  ftruncateSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { basename, join, resolve } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createEmbeddedLog, type EmbeddedLogOptions } from '../../../src/main/log/embedded.ts'
import { readState, RECORD, stateRecord } from '../../../src/main/log/embedded-record.ts'
import { align, HEAD_BYTES, readRecords } from '../../../src/main/log/journal-record.ts'
import type { MessageLog } from '../../../src/main/log/message-log.ts'
import { produced, readAll } from '../../support/log-messages.ts'
import { makeTempFolder } from '../../support/temp-folder.ts'

const TOPIC = 'market.equities.trades.asx'

function openLog(folder: string, options: Partial<EmbeddedLogOptions> = {}) {
  const warnings: string[] = []
  const log = createEmbeddedLog({ maxBytes: 16e6, folder, onWarning: why => warnings.push(why), ...options })
  onTestFinished(() => log.close())
  return { log, warnings }
}

async function openWithTopic(folder: string, options: Partial<EmbeddedLogOptions> = {}) {
  const opened = openLog(folder, options)
  await opened.log.createTopics([{ name: TOPIC, partitions: 3 }])
  return opened
}

/** What a killed process leaves: a copy of the folder while the log is open. */
function copyAsKilled(folder: string): string {
  const copy = join(makeTempFolder(), 'log')
  cpSync(folder, copy, { recursive: true })
  writeFileSync(join(copy, 'lock'), '{}')
  return copy
}

const texts = (from: number, count: number, size = 10) =>
  Array.from({ length: count }, (_, i) => [`key ${(from + i) % 8}`, `${from + i} ${'x'.repeat(size)}`] as const)
const journalFiles = (folder: string) =>
  readdirSync(folder)
    .filter(name => name.endsWith('.journal'))
    .sort()
const newest = (folder: string) => join(folder, journalFiles(folder).at(-1)!)

async function whole(log: MessageLog) {
  return {
    cluster: await log.cluster(),
    topics: await log.topics(),
    ranges: await log.ranges(TOPIC),
    all: await readAll(log, TOPIC),
  }
}

describe('a log in a folder', () => {
  it('is the same again after it was closed, and goes on with the next offsets', async () => {
    const folder = makeTempFolder()
    const { log } = await openWithTopic(folder)
    await log.append(
      TOPIC,
      produced(
        [...texts(0, 100), ['key 1', null]],
        Array.from({ length: 101 }, (_, i) => i * 10),
      ),
    )
    const before = await whole(log)
    await log.close()
    const { log: again, warnings } = openLog(folder)
    expect(await whole(again)).toEqual(before)
    await again.append(TOPIC, produced(texts(200, 50)))
    const after = await readAll(again, TOPIC)
    expect(after).toHaveLength(151)
    expect(after).toEqual(expect.arrayContaining(before.all))
    expect(warnings).toEqual([])
  })

  it('is the same again after a kill, at any moment between appends, for any messages', async () => {
    const message = fc.tuple(fc.constantFrom(...'abcde'), fc.option(fc.string({ maxLength: 300 })))
    const append = fc.record({ messages: fc.array(message, { maxLength: 30 }), at: fc.option(fc.nat(1000)) })
    const property = fc.asyncProperty(fc.array(append, { maxLength: 8 }), async appends => {
      const folder = join(makeTempFolder(), 'log')
      const { log } = await openWithTopic(folder)
      for (const { messages, at } of appends)
        await log.append(TOPIC, produced(messages, at === null ? undefined : messages.map((_, i) => at + i)))
      const { log: again } = openLog(copyAsKilled(folder))
      expect(await whole(again)).toEqual(await whole(log))
      await again.close()
      await log.close()
    })
    await fc.assert(property, { numRuns: 30 })
  })

  it('holds whole appends only, wherever the last write was torn', async () => {
    const folder = makeTempFolder()
    const { log } = await openWithTopic(folder)
    await log.append(TOPIC, produced(texts(0, 20)))
    const intact = statSync(newest(folder)).size
    const before = await whole(log)
    await log.append(TOPIC, produced(texts(20, 20)))
    const end = statSync(newest(folder)).size
    for (const size of [intact + 1, intact + 8, intact + 17, Math.floor((intact + end) / 2), end - 1]) {
      const copy = copyAsKilled(folder)
      truncateSync(newest(copy), size)
      const { log: again, warnings } = openLog(copy)
      expect(await whole(again)).toEqual(before)
      await again.append(TOPIC, produced(texts(20, 20)))
      const after = (await whole(again)).all.map(({ partition, offset, text }) => ({ partition, offset, text }))
      expect(after).toEqual(
        (await readAll(log, TOPIC)).map(({ partition, offset, text }) => ({ partition, offset, text })),
      )
      await again.close()
      expect(warnings).toEqual([])
    }
  })

  it('forgets a file that was begun and never got its first record', async () => {
    const folder = makeTempFolder()
    const { log } = await openWithTopic(folder)
    await log.append(TOPIC, produced(texts(0, 20)))
    const before = await whole(log)
    const copy = copyAsKilled(folder)
    writeFileSync(join(copy, '000000000002.journal'), Buffer.alloc(100))
    expect(await whole(openLog(copy).log)).toEqual(before)
  })

  it('belongs to one process: another is refused while that runs, and has it when that is gone', async () => {
    const folder = makeTempFolder()
    const script = `
      import { createEmbeddedLog } from ${JSON.stringify(resolve('src/main/log/embedded.ts'))}
      const log = createEmbeddedLog({ maxBytes: 1e6, folder: ${JSON.stringify(folder)} })
      process.stdout.write(await log.cluster())
      setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const gone = once(child, 'exit')
    onTestFinished(() => void child.kill('SIGKILL'))
    const [cluster] = (await once(child.stdout, 'data')) as [Buffer]
    expect(() => createEmbeddedLog({ maxBytes: 1e6, folder })).toThrow(`in use by process ${child.pid}`)
    child.kill('SIGKILL')
    await gone
    expect(await openLog(folder).log.cluster()).toBe(String(cluster))
  })
})

describe('retention of a log in a folder', () => {
  it('removes whole files, and keeps the disk bounded and the offsets growing', async () => {
    const folder = makeTempFolder()
    const maxBytes = 600_000
    const { log } = await openWithTopic(folder, { maxBytes })
    for (let i = 0; i < 300; i++) await log.append(TOPIC, produced(texts(i * 100, 100, 60)))
    const before = await whole(log)
    const bytes = journalFiles(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
    expect(bytes).toBeLessThan(2 * maxBytes + 100_000)
    expect(Number.parseInt(journalFiles(folder)[0])).toBeGreaterThan(5)
    await log.close()
    const { log: again } = openLog(folder, { maxBytes })
    const after = await whole(again)
    expect(after.ranges.map(({ latest }) => latest)).toEqual(before.ranges.map(({ latest }) => latest))
    expect(after.ranges.every(({ earliest }) => earliest > 0)).toBe(true)
    const key = ({ partition, offset, text }: { partition: number; offset: number; text: string | null }) =>
      `${partition} ${offset} ${text}`
    const held = new Set(before.all.map(key))
    // Each of the two holds what it may of the same messages.
    expect(after.all.filter(message => held.has(key(message))).length).toBeGreaterThan(before.all.length / 2)
  })

  it('does not let a quiet partition keep files for ever', async () => {
    const folder = makeTempFolder()
    const maxBytes = 400_000
    const { log } = await openWithTopic(folder, { maxBytes })
    const late = Date.now() * 1000 + 1e12
    await log.append(TOPIC, produced([['quiet', 'from the future']], [late]))
    for (let i = 0; i < 200; i++) await log.append(TOPIC, produced(texts(i * 100, 100, 60)))
    const bytes = journalFiles(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
    expect(bytes).toBeLessThan(2 * maxBytes + 100_000)
  })
})

describe('a full disk', () => {
  /** Takes half of what it is given when full, then refuses, as a file system does. */
  function smallDisk() {
    const disk = { isFull: false, refusesCuts: false }
    const full = () => Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
    const files = {
      writeSync(fd: number, bytes: Buffer, offset: number, length: number, position: number) {
        if (!disk.isFull) return writeSync(fd, bytes, offset, length, position)
        if (offset > 0) throw full()
        return writeSync(fd, bytes, offset, Math.floor(length / 2), position)
      },
      ftruncateSync(fd: number, length: number) {
        if (disk.refusesCuts) throw full()
        ftruncateSync(fd, length)
      },
    } as EmbeddedLogOptions['files']
    return { disk, files }
  }

  it.each([
    ['', false],
    [', also where what was half written cannot be cut off at once', true],
  ])('refuses an append whole, and takes the next when there is room%s', async (_, refusesCuts) => {
    const folder = makeTempFolder()
    const { disk, files } = smallDisk()
    const { log } = await openWithTopic(folder, { files })
    await log.append(TOPIC, produced(texts(0, 10)))
    const before = await whole(log)
    Object.assign(disk, { isFull: true, refusesCuts })
    for (let i = 0; i < 3; i++) {
      const appending = log.append(TOPIC, produced(texts(10, 10)))
      await expect(appending).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true })
      await expect(appending).rejects.toThrow('The disk is full: nothing of these messages was taken')
    }
    await expect(log.createTopics([{ name: 'new', partitions: 1 }])).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(await whole(log)).toEqual(before)
    expect(await whole(openLog(copyAsKilled(folder)).log)).toEqual(before)
    Object.assign(disk, { isFull: false, refusesCuts: false })
    await log.append(TOPIC, produced(texts(10, 5)))
    await log.createTopics([{ name: 'new', partitions: 1 }])
    expect(await whole(openLog(copyAsKilled(folder)).log)).toEqual(await whole(log))
  })

  it('refuses where a new file would have to begin, and goes on in it later', async () => {
    const folder = makeTempFolder()
    const { disk, files } = smallDisk()
    const { log } = await openWithTopic(folder, { files, maxBytes: 300_000 })
    const fill = async () => {
      for (let i = 0; journalFiles(folder).length < 2; i++) await log.append(TOPIC, produced(texts(i, 20)))
    }
    await fill()
    while (statSync(newest(folder)).size < 18_750) await log.append(TOPIC, produced(texts(0, 10)))
    const before = await whole(log)
    disk.isFull = true
    await expect(log.append(TOPIC, produced(texts(10, 10)))).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    disk.isFull = false
    expect(journalFiles(folder)).toHaveLength(2)
    expect(await whole(openLog(copyAsKilled(folder), { maxBytes: 300_000 }).log)).toEqual(before)
    await log.append(TOPIC, produced(texts(10, 10)))
    expect(journalFiles(folder)).toHaveLength(3)
    expect((await readAll(log, TOPIC)).length).toBe(before.all.length + 10)
  })
})

describe('damage', () => {
  /** Lets a file say that it was written in another start of the machine. */
  function pretendOtherBoot(file: string): void {
    const bytes = readFileSync(file)
    let at = 0
    for (const record of readRecords(bytes).records) {
      if (record.type === RECORD.state) {
        const state = readState(record)
        stateRecord({ ...state, boot: '0'.repeat(state.boot.length) }).copy(bytes, at)
      }
      at += align(HEAD_BYTES + record.payload.length)
    }
    writeFileSync(file, bytes)
  }

  it('of a loss of power never lets an offset be given out twice', async () => {
    const folder = makeTempFolder()
    const { log } = openLog(folder)
    const first = await log.cluster()
    await log.close()
    const { log: working } = await openWithTopic(folder)
    await working.append(TOPIC, produced(texts(0, 30)))
    const before = await whole(working)
    const copy = copyAsKilled(folder)
    pretendOtherBoot(newest(copy))
    const { log: again, warnings } = openLog(copy)
    expect(await again.cluster()).toBe(first)
    expect(warnings.join()).toContain('its last second may be lost')
    expect(await readAll(again, TOPIC)).toEqual(before.all)
    const ranges = await again.ranges(TOPIC)
    ranges.forEach(({ latest }, partition) => expect(latest).toBe(before.ranges[partition].latest + 10_000_000))
    // A reader that had seen more than is left goes on without meeting other messages at those offsets.
    await again.append(TOPIC, produced(texts(1000, 30)))
    const further = await readAll(again, TOPIC)
    expect(further).toHaveLength(60)
    expect(Math.min(...further.filter(({ text }) => Number.parseInt(text!) >= 1000).map(({ offset }) => offset))).toBe(
      Math.min(...ranges.map(({ latest }) => latest)),
    )
    await again.close()
    const { log: later, warnings: none } = openLog(copy)
    expect(await readAll(later, TOPIC)).toEqual(further)
    expect(none).toEqual([])
  })

  it('in an older file puts aside what came before, so that a reader is told', async () => {
    const folder = makeTempFolder()
    const { log } = await openWithTopic(folder, { maxBytes: 1e6 })
    for (let i = 0; i < 60; i++) await log.append(TOPIC, produced(texts(i * 40, 40, 60)))
    const before = await whole(log)
    await log.close()
    const names = journalFiles(folder)
    expect(names.length).toBeGreaterThan(2)
    const file = join(folder, names[1])
    const bytes = readFileSync(file)
    bytes[Math.floor(bytes.length / 2)] ^= 1
    writeFileSync(file, bytes)
    const { log: again, warnings } = openLog(folder, { maxBytes: 1e6 })
    expect(warnings.join()).toContain(`${file} is damaged`)
    const after = await whole(again)
    expect(after.ranges.map(({ latest }) => latest)).toEqual(before.ranges.map(({ latest }) => latest))
    expect(after.ranges[0].earliest).toBeGreaterThan(0)
    const key = ({ partition, offset }: { partition: number; offset: number }) => `${partition} ${offset}`
    const known = new Map(before.all.map(message => [key(message), message]))
    for (const message of after.all) expect(message).toEqual(known.get(key(message)))
    await expect(readAll(again, TOPIC, 0)).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' })
    expect(readdirSync(folder).filter(name => name.endsWith('.damaged'))).toHaveLength(2)
  })

  /** Ten appends in one file, and where each of its records begins. */
  async function tenAppends() {
    const folder = makeTempFolder()
    const { log } = await openWithTopic(folder)
    for (let i = 0; i < 10; i++) await log.append(TOPIC, produced(texts(i * 20, 20)))
    const before = await whole(log)
    await log.close()
    const file = newest(folder)
    const bytes = readFileSync(file)
    const begins = [0]
    for (const { payload } of readRecords(bytes).records)
      begins.push(begins.at(-1)! + align(HEAD_BYTES + payload.length))
    return { folder, file, bytes, before, begins: begins.slice(0, -1) }
  }

  function flip(file: string, bytes: Buffer, at: number, bit = 0): void {
    const copy = Buffer.from(bytes)
    copy[at] ^= 1 << bit
    writeFileSync(file, copy)
  }

  const place = ({ partition, offset }: { partition: number; offset: number }) => `${partition} ${offset}`

  it('in the newest file loses that record and what came before, and keeps the rest at its offsets', async () => {
    const { folder, file, bytes, before, begins } = await tenAppends()
    // The last byte of the fifth append's values.
    const records = readRecords(bytes).records
    const fifth = records.findIndex(({ type }) => type === RECORD.messages) + 4
    flip(file, bytes, begins[fifth] + HEAD_BYTES + records[fifth].payload.length - 1)
    const { log: again, warnings } = openLog(folder)
    expect(warnings).toEqual([expect.stringContaining(`${file} is damaged at byte ${begins[fifth]}`)])
    const after = await whole(again)
    expect(after.ranges.map(({ latest }) => latest)).toEqual(before.ranges.map(({ latest }) => latest))
    const kept = new Set<string | null>(texts(100, 100).map(([, text]) => text))
    expect(after.all).toEqual(before.all.filter(({ text }) => kept.has(text)))
    expect(readFileSync(`${file}.damaged`).length).toBe(bytes.length)
    await again.append(TOPIC, produced(texts(500, 20)))
    const further = await whole(again)
    await again.close()
    const { log: later, warnings: none } = openLog(folder)
    expect(await whole(later)).toEqual(further)
    expect(none).toEqual([])
  })

  it('whose extent nobody can tell leaves out the offsets that were given out', async () => {
    const { folder, file, bytes, before, begins } = await tenAppends()
    flip(file, bytes, begins[5] + HEAD_BYTES + 4) // how many messages
    const { log: again, warnings } = openLog(folder)
    expect(warnings).toEqual([expect.stringMatching(/is damaged at byte .* what came after is out of reach/)])
    const { ranges, all } = await whole(again)
    ranges.forEach(({ latest }, i) => expect(latest).toBeGreaterThan(before.ranges[i].latest + 1_000_000))
    expect(before.all).toEqual(expect.arrayContaining(all))
  })

  it('anywhere in the newest file never shows another message at an offset that was given out', async () => {
    const { file, bytes, before, begins, folder } = await tenAppends()
    const known = new Map(before.all.map(message => [place(message), message]))
    const property = fc.asyncProperty(fc.nat(begins.at(-1)! - 1), fc.nat(7), async (at, bit) => {
      const copy = copyAsKilled(folder)
      flip(join(copy, basename(file)), bytes, at, bit)
      const { log: again, warnings } = openLog(copy)
      // In what fills up a record to a multiple of eight it does no harm.
      if (warnings.length === 0) expect(await readAll(again, TOPIC)).toEqual(before.all)
      if ((await again.topics()).length === 0) return // The file's first record is gone, and with it all there was.
      await again.append(TOPIC, produced(texts(1000, 30)))
      const after = await readAll(again, TOPIC)
      await again.close()
      for (const message of after)
        if (Number.parseInt(message.text!) < 1000) expect(message).toEqual(known.get(place(message)))
        else expect(known.has(place(message))).toBe(false)
    })
    await fc.assert(property, { numRuns: 60 })
  })
})
