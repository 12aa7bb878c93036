import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { expect, it } from 'vitest'
import type { Column } from '../../../../src/contract/columns.ts'
import { openCsv, type StartThread } from '../../../../src/main/sources/csv/csv-source.ts'
import type { FileSource, Step } from '../../../../src/main/sources/file-source.ts'
import { LOADED_AT, writeFile } from '../../../support/csv-files.ts'

const HEADER = 'symbol,exchange_timestamp,price,quantity,side,trade_id,note\n'
const ROWS = 280_000
const options = { exchange: 'ASX', format: 'auto', loadedAtMicros: LOADED_AT } as const
const { signal } = new AbortController()
const ENTRY = join(import.meta.dirname, '../../../../src/main/sources/csv/csv-thread.ts')
/** A thread takes no loader of TypeScript from its arguments. */
const FROM_SOURCE = `import('tsx/esm/api').then(tsx => (tsx.register(), import(${JSON.stringify(ENTRY)})))`

/** Two batches; every thousandth row is bad, and every third lacks a side and a note. */
function manyRows(): string {
  const rows = Array.from({ length: ROWS }, (_, i) => {
    const price = i % 1000 === 999 ? 'none' : `${i}.5`
    return `S${i % 7},${1394398867532 + i},${price},1,${i % 3 ? 'BUY' : ''},T${i},${i % 3 ? 'é' : ''}\n`
  })
  return HEADER + rows.join('')
}

function threads() {
  const started: Worker[] = []
  let batches = 0
  let steps = 0
  const start: StartThread = workerData => {
    const thread = new Worker(FROM_SOURCE, { eval: true, workerData })
    thread.on('message', ({ kind, batch }: { kind: string; batch?: unknown }) => {
      steps += kind === 'step' ? 1 : 0
      batches += batch ? 1 : 0
    })
    started.push(thread)
    return thread
  }
  /** A thread that has ended has no id. */
  return { start, ids: () => started.map(({ threadId }) => threadId), batches: () => batches, steps: () => steps }
}

const openLarge = (startThread?: StartThread, path = writeFile('a.csv', manyRows())) =>
  openCsv(path, options, signal, startThread)

async function readAll(source: FileSource) {
  const steps: Step[] = []
  for await (const step of source.read(signal)) steps.push(step)
  const batches = steps.flatMap(({ batch }) => batch ?? [])
  return {
    badRows: steps.flatMap(({ badRows }) => badRows),
    batches: batches.map(({ rowCount, columns }) => ({
      rowCount,
      columns: Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, asTexts(column)])),
    })),
    progress: steps.map(({ bytesRead }) => bytesRead),
  }
}

/** Quick to compare. */
function asTexts({ values, nulls, words, ...rest }: Column) {
  const bytes = (array: ArrayBufferView | undefined) =>
    array && Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString('base64')
  return JSON.stringify({ values: bytes(values), nulls: bytes(nulls), words, ...rest })
}

it('gives the rows, bad rows and batches that reading here gives', async () => {
  const path = writeFile('a.csv', manyRows())
  const { start, ids, batches } = threads()
  const [here, there] = [await openLarge(undefined, path), await openLarge(start, path)]
  expect(await there.contentHash(signal)).toBe(await here.contentHash(signal))
  const [expected, read] = [await readAll(here), await readAll(there)]
  expect(read.batches.map(({ rowCount }) => rowCount)).toEqual([262_144, ROWS - ROWS / 1000 - 262_144])
  expect(read.batches).toEqual(expected.batches)
  expect(read.badRows).toEqual(expected.badRows)
  expect(read.badRows).toHaveLength(ROWS / 1000)
  expect(read.progress).toEqual([...read.progress].sort((a, b) => a - b))
  expect(read.progress.at(-1)).toBe(there.bytesTotal)
  expect(batches()).toBe(2)
  expect(ids()).toEqual([-1])
})

it('starts no thread for a small file', async () => {
  const { start, ids } = threads()
  const source = await openLarge(start, writeFile('a.csv', HEADER + 'A,1394398867532,1,1,,T1,\n'))
  expect((await readAll(source)).batches).toHaveLength(1)
  expect(ids()).toEqual([])
})

it('tells a failure as it was, and ends', async () => {
  const path = writeFile('a.csv', manyRows())
  const { start, ids } = threads()
  const source = await openLarge(start, path)
  await source.contentHash(signal)
  appendFileSync(path, 'A,1394398867532,1,1,,T1,\n')
  await expect(readAll(source)).rejects.toMatchObject({
    name: 'Failure',
    code: 'CONFLICT',
    message: expect.stringContaining('changed while it was read') as string,
  })
  expect(ids()).toEqual([-1])
})

it('ends when it is cancelled, and when nobody reads on', async () => {
  const { start, ids } = threads()
  const source = await openLarge(start)
  const abort = new AbortController()
  const cancelled = (async () => {
    for await (const { bytesRead } of source.read(abort.signal)) if (bytesRead > 0) abort.abort(new Error('enough'))
  })()
  await expect(cancelled).rejects.toThrow('enough')
  for await (const { bytesRead } of source.read(signal)) if (bytesRead > 0) break
  expect(ids()).toEqual([-1, -1])
})

it('gives no batch before the one before was taken', async () => {
  const { start, batches } = threads()
  const source = await openLarge(start, writeFile('a.csv', manyRows() + manyRows().slice(HEADER.length)))
  let taken = 0
  for await (const { batch } of source.read(signal)) {
    if (!batch) continue
    taken++
    await setTimeout(300) // in which a thread that does not wait would give the next
    expect(batches()).toBe(taken)
  }
  expect(taken).toBe(3)
})

it('is never more than a few steps ahead, also where a file has nothing but bad rows, and all of them come', async () => {
  const { start, steps } = threads()
  const count = 80_000
  const rows = Array.from({ length: count }, (_, i) => `${i},${'x'.repeat(110)}\n`)
  const source = await openLarge(start, writeFile('a.csv', HEADER + rows.join('')))
  const lines: number[] = []
  let taken = 0
  for await (const { batch, badRows } of source.read(signal)) {
    expect(batch).toBeUndefined()
    lines.push(...badRows.map(({ line }) => line))
    if (++taken <= 5) await setTimeout(200) // in which a thread that does not wait would read on
    expect(steps() - taken).toBeLessThanOrEqual(5)
  }
  expect(taken).toBeGreaterThan(40)
  expect(lines).toEqual(Array.from({ length: count }, (_, i) => i + 2))
})

it.each<[string, StartThread]>([
  ['it cannot be loaded', workerData => new Worker(`${ENTRY}.gone`, { workerData })],
  [
    'there is no room for it',
    () => {
      throw Object.assign(new Error('no more threads'), { code: 'ERR_WORKER_INIT_FAILED' })
    },
  ],
])('is done without where no thread can be started as %s', async (_, start) => {
  const source = await openLarge(start)
  const { batches } = await readAll(source)
  expect(batches.map(({ rowCount }) => rowCount)).toEqual([262_144, ROWS - ROWS / 1000 - 262_144])
})

it('ends quietly where the thread fails when nobody reads on', async () => {
  const started: Worker[] = []
  const source = await openLarge(workerData => {
    const thread = new Worker(FROM_SOURCE, { eval: true, workerData })
    started.push(thread)
    return thread
  })
  for await (const { bytesRead } of source.read(signal)) {
    if (bytesRead === 0) continue
    const [thread] = started
    const terminate = thread.terminate.bind(thread)
    thread.terminate = () => {
      thread.emit('error', new Error('out of memory'))
      return terminate()
    }
    break
  }
  expect(started[0].threadId).toBe(-1)
})
