import { expect, it, onTestFinished, vi } from 'vitest'
import { commitChange } from '../../../src/main/lake/commit/commit-change.ts'
import { memoryFiles } from '../../../src/main/lake/io/memory.ts'
import { expireSnapshots } from '../../../src/main/lake/maintain/expire-snapshots.ts'
import { createPins, type PinOptions } from '../../../src/main/lake/pins.ts'
import { ONLY_HEAD } from '../../support/failing-operations.ts'
import { memoryTable } from '../../support/memory-table.ts'

const PLACE = 'file:///warehouse/market_data/trades'
const HOUR = 3_600_000

function pinsOn(files: PinOptions['io'], options: Partial<PinOptions> = {}) {
  const pins = createPins({ io: files, location: () => PLACE, ...options })
  onTestFinished(() => pins.close())
  return pins
}

it('keeps a snapshot that another process reads, with its files, until that lets go', async () => {
  const { stage, files, elsewhere, table } = await memoryTable()
  const a = await stage('a')
  const { snapshotId } = await commitChange(table, { operation: 'append', added: [a] })
  const reader = elsewhere({ pins: { afterMs: 0 } })
  await reader.load()
  const letGo = reader.pin(snapshotId)
  await vi.waitFor(async () => expect(await table.pins.others()).toEqual(new Set([snapshotId])))
  const change = { operation: 'replace', removed: [a], added: [await stage('b')], readAt: snapshotId } as const
  await commitChange(table, change)
  expect(await expireSnapshots(table, { retention: ONLY_HEAD })).toMatchObject({ snapshots_removed: 0 })
  expect(files.locations()).toContain(a.path)
  letGo()
  await vi.waitFor(async () => expect(await table.pins.others()).toEqual(new Set()))
  expect(await expireSnapshots(table, { retention: ONLY_HEAD })).toMatchObject({ snapshots_removed: 1 })
  expect(files.locations()).not.toContain(a.path)
  expect(files.locations().filter(location => location.includes('.k2-pins'))).toEqual([])
})

it('keeps the files of a snapshot that another process came to read while it was let go', async () => {
  const { stage, files, elsewhere, table, catalog } = await memoryTable()
  const a = await stage('a')
  const { snapshotId } = await commitChange(table, { operation: 'append', added: [a] })
  const change = { operation: 'replace', removed: [a], added: [await stage('b')], readAt: snapshotId } as const
  await commitChange(table, change)
  const reader = elsewhere({ pins: { afterMs: 0 } })
  await reader.load()
  const expiring = elsewhere({
    catalog: {
      ...catalog,
      async commit(...asked) {
        onTestFinished(reader.pin(snapshotId))
        await vi.waitFor(async () => expect(await table.pins.others()).toEqual(new Set([snapshotId])))
        return catalog.commit(...asked)
      },
    },
  })
  expect(await expireSnapshots(expiring, { retention: ONLY_HEAD })).toMatchObject({ snapshots_removed: 1 })
  expect(files.locations()).toContain(a.path)
})

it('counts what a process left that is gone for an hour by the clock of the store, then takes it away', async () => {
  let nowMs = 5 * HOUR
  const files = memoryFiles(() => nowMs)
  const lost = pinsOn(files, { afterMs: 0 })
  lost.pin('7')
  const other = pinsOn(files)
  await vi.waitFor(async () => expect(await other.others()).toEqual(new Set(['7'])))
  nowMs += HOUR
  expect(await other.others()).toEqual(new Set(['7']))
  nowMs += 1
  expect(await other.others()).toEqual(new Set())
  expect(files.locations()).toEqual([])
})

it('tells again and again while it reads, so that it never counts as left behind', async () => {
  const files = memoryFiles()
  const removed: string[] = []
  const remove = (location: string) => {
    removed.push(location)
    return files.remove(location)
  }
  const reader = pinsOn({ ...files, remove }, { afterMs: 0, renewEveryMs: 5 })
  const letGo = reader.pin('7')
  await vi.waitFor(() => expect(removed.length).toBeGreaterThan(2))
  expect(await pinsOn(files).others()).toEqual(new Set(['7']))
  expect(new Set(removed).size).toBe(removed.length)
  letGo()
  await reader.close()
  await vi.waitFor(() => expect(files.locations()).toEqual([]))
})

it('holds a snapshot as long as any of its readers', async () => {
  const files = memoryFiles()
  const reader = pinsOn(files, { afterMs: 0 })
  const other = pinsOn(files)
  const [first, second] = [reader.pin('7'), reader.pin('7')]
  await vi.waitFor(async () => expect(await other.others()).toEqual(new Set(['7'])))
  first()
  first()
  expect(reader.own()).toEqual(new Set(['7']))
  expect(await other.others()).toEqual(new Set(['7']))
  second()
  expect(reader.own()).toEqual(new Set())
  await vi.waitFor(async () => expect(await other.others()).toEqual(new Set()))
})

it('writes nothing for a reader of a moment, and takes back what it told when it closes', async () => {
  const files = memoryFiles()
  const quick = pinsOn(files)
  quick.pin('7')()
  const told = pinsOn(files, { afterMs: 0 })
  told.pin('8')
  await vi.waitFor(() => expect(files.locations()).toHaveLength(1))
  expect(files.locations()[0]).toContain('/.k2-pins/8.')
  await told.close()
  expect(files.locations()).toEqual([])
})

it('lets a reader read where nothing may be written', async () => {
  const files = memoryFiles()
  let tries = 0
  const write = () => {
    tries++
    return Promise.reject(new Error('read only'))
  }
  const reader = pinsOn({ ...files, write }, { afterMs: 0, renewEveryMs: 5 })
  const letGo = reader.pin('7')
  await vi.waitFor(() => expect(tries).toBeGreaterThan(1))
  letGo()
  await reader.close()
  expect(files.locations()).toEqual([])
})
