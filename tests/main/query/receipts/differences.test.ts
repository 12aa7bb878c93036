// Receipts of differences: what came and went between two snapshots, again.
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { z } from 'zod'
import type { Context } from '../../../../src/contract/capability.ts'
import { rowsOf } from '../../../../src/contract/columns.ts'
import type { Receipt } from '../../../../src/contract/fields.ts'
import { contract } from '../../../../src/contract/index.ts'
import type { Difference } from '../../../../src/contract/lake.ts'
import { systemClock } from '../../../../src/main/base/clock.ts'
import { lakeHandlers } from '../../../../src/main/lake/handlers.ts'
import { compactTable } from '../../../../src/main/lake/maintain/compact-table.ts'
import { expireSnapshots } from '../../../../src/main/lake/maintain/expire-snapshots.ts'
import { rollBack } from '../../../../src/main/lake/travel/roll-back.ts'
import { removeTag, tagSnapshot } from '../../../../src/main/lake/travel/tag-snapshot.ts'
import { readHandlers } from '../../../../src/main/query/reads/handlers.ts'
import { repeatableDifferences } from '../../../../src/main/query/receipts/differences.ts'
import { receiptHandlers } from '../../../../src/main/query/receipts/handlers.ts'
import { ONLY_HEAD } from '../../../support/failing-operations.ts'
import { append, START_MICROS, tempLake, tradesBatch } from '../../../support/lake.ts'
import { queryParts } from '../../../support/query.ts'

const context: Context = { signal: new AbortController().signal, correlationId: 'test', door: 'http' }
const HOUR = 3_600e6

type Question = z.input<(typeof contract)['snapshots.diff']['input']>

/** A trade an hour: two in the first snapshot, five more in the second, which the third has not. */
async function openPlace() {
  const lake = await tempLake()
  const table = lake.table('trades')
  const commit = async (from: number, count: number) =>
    (await append(lake, tradesBatch(from, count, { perDay: 24 }), { specId: 0 })).snapshotId
  const [a, b] = [await commit(0, 2), await commit(2, 5)]
  const { snapshot } = await rollBack(table, a)
  const parts = await queryParts(lake)
  const tools = { ...parts, clock: systemClock, live: () => Promise.reject(new Error('no live view')) }
  const { 'snapshots.diff': diff } = lakeHandlers(lake, { retention: ONLY_HEAD, lend: tools.pool.run })
  const { handlers, again } = repeatableDifferences(tools, diff)
  const lists = readHandlers(tools, { cursorKey: Buffer.alloc(32) })
  const { 'receipts.read': readAgain } = receiptHandlers(tools, lists, again)

  const plain = ({ rows, ...counts }: Difference) => ({ ...counts, rows: rowsOf(rows) })
  const ask = async (question: Question, untilMicros?: number) => {
    const asked = contract['snapshots.diff'].input.parse({ ...question, receipt: true })
    const { data, query } = await handlers['snapshots.diff'](asked, context, untilMicros)
    return { data: plain(data), receipt: query.receipt! }
  }
  /** As a client sends it. */
  const repeat = async (receipt: Receipt) => {
    const sent = contract['receipts.read'].input.parse(JSON.parse(JSON.stringify(receipt)))
    const { data, query } = await readAgain(sent, context)
    contract['receipts.read'].output.parse({ data, query })
    return { data: plain(data as Difference), receipt: query.receipt }
  }
  async function letMoreHappen() {
    await commit(7, 4)
    await commit(11, 4)
    await compactTable(lake, table, { minFiles: 2 })
  }
  return { table, a, b, c: snapshot['snapshot-id'], ask, repeat, letMoreHappen }
}

describe('a receipt of a difference', () => {
  it('gives what came and what went again, page by page, after commits and a compaction', async () => {
    const { a, b, c, ask, repeat, letMoreHappen } = await openPlace()
    const answers = [await ask({ a, b }), await ask({ a: b, b: c }), await ask({ a, b, limit: 2, offset: 3 })]
    const counts = answers.map(({ data: { added, removed, rows } }) => [added, removed, rows.length])
    expect(counts).toEqual([
      [5, 0, 5],
      [0, 5, 5],
      [5, 0, 2],
    ])
    for (const answer of answers) expect(await repeat(answer.receipt)).toEqual(answer)
    await letMoreHappen()
    for (const answer of answers) expect(await repeat(answer.receipt)).toEqual(answer)
  })

  it('is of the snapshots that tags named, also when they name others', async () => {
    const { table, a, b, c, ask, repeat } = await openPlace()
    await tagSnapshot(table, 'open', a)
    await tagSnapshot(table, 'close', b)
    const answer = await ask({ a: 'open', b: 'close' })
    expect(answer.receipt).toMatchObject({ snapshot: b, query: { name: 'snapshots.diff', input: { a, b } } })
    await removeTag(table, 'open')
    await removeTag(table, 'close')
    await tagSnapshot(table, 'open', b)
    await tagSnapshot(table, 'close', c)
    expect(await repeat(answer.receipt)).toEqual(answer)
  })

  it('has no row from after the clock of a replay session, as then', async () => {
    const { a, b, ask, repeat } = await openPlace()
    const answer = await ask({ a, b }, START_MICROS + 4 * HOUR)
    expect(answer.data).toMatchObject({ added: 2 })
    expect(await repeat(answer.receipt)).toEqual(answer)
    const whole = await ask({ a, b }, Infinity)
    expect(whole.data).toMatchObject({ added: 5 })
    expect(await repeat(whole.receipt)).toEqual(whole)
  })

  it('says that a snapshot has expired', async () => {
    const { table, a, b, ask, repeat } = await openPlace()
    const { receipt } = await ask({ a, b })
    await tagSnapshot(table, 'close', b)
    await expireSnapshots(table, { retention: ONLY_HEAD })
    await expect(repeat(receipt)).rejects.toMatchObject({
      code: 'SNAPSHOT_NOT_FOUND',
      message: expect.stringContaining(`no snapshot ${a}; it may have expired`) as string,
    })
  })

  it('is refused when it was changed', async () => {
    const { a, b, ask, repeat } = await openPlace()
    const { receipt } = await ask({ a, b })
    const changed = (input: object) => ({
      ...receipt,
      query: { ...receipt.query, input: { ...receipt.query.input, ...input } },
    })
    await expect(repeat({ ...receipt, hash: `sha256:${'0'.repeat(64)}` })).rejects.toMatchObject({ code: 'CONFLICT' })
    await expect(repeat(changed({ limit: 4 }))).rejects.toMatchObject({ code: 'CONFLICT' })
    await expect(repeat(changed({ until_micros: START_MICROS }))).rejects.toMatchObject({ code: 'CONFLICT' })
    await expect(repeat(changed({ until_micros: 0.5 }))).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    await expect(repeat(changed({ limit: 0 }))).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  })

  it('has a hash that a script makes of its counts and rows', async () => {
    const { a, b, ask } = await openPlace()
    const { data, receipt } = await ask({ a, b })
    const { rows, ...counts } = data
    const lines = [counts, Object.keys(rows[0]), ...rows.map(row => Object.values(row))]
    const text = lines.map(line => `${JSON.stringify(line)}\n`).join('')
    expect(receipt.hash).toBe(`sha256:${createHash('sha256').update(text).digest('hex')}`)
  })
})
