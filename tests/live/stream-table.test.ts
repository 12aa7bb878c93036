// Tables that streams write, flush by flush, judged by PyIceberg: rows, offsets in the summaries, files and manifests.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ColumnBatch } from '../../src/contract/columns.ts'
import { TABLES, type TableId } from '../../src/contract/tables.ts'
import { compactTable } from '../../src/main/lake/maintain/compact-table.ts'
import { COMMIT_ID_KEY, OFFSETS_KEY, offsetsText } from '../../src/main/lake/offsets.ts'
import { createLeases, leaseFolder } from '../../src/main/lake/stream/lease.ts'
import { setOffsets } from '../../src/main/lake/stream/set-offsets.ts'
import { createStreamTable } from '../../src/main/lake/stream/stream-table.ts'
import { verifyTable } from '../../src/main/lake/verify/verify-table.ts'
import type { OffsetVector } from '../../src/main/market/topic-offsets.ts'
import { tradesBatch } from '../support/lake.ts'
import { oddBatch } from '../support/pyiceberg-batches.ts'
import { digestBatches, type Digest } from '../support/pyiceberg-digest.ts'
import { LAKE_KINDS, needsOf, openJudgedLake, type JudgedLake } from '../support/pyiceberg-lake.ts'
import { startJudge, type Judge } from '../support/pyiceberg.ts'
import { at, letters, logOf, TOPIC, tradesAt } from '../support/stream-rows.ts'

const OTHER = 'market.crypto.trades.binance'
const columnsOf = (id: TableId) => TABLES[id].columns.map(({ name }) => name)

for (const kind of LAKE_KINDS) {
  const { skip, because } = needsOf(kind)
  describe.skipIf(skip)(
    `tables that streams write in ${kind}, judged by PyIceberg${because}`,
    { timeout: 120_000 },
    () => {
      let judge: Judge
      let judged: JudgedLake

      beforeAll(async () => {
        judge = await startJudge()
        judged = await openJudgedLake(kind, judge)
      })
      afterAll(async () => {
        await judged.close()
        await judge.close()
      })

      const ask = <T>(question: string, id: TableId, more: object = {}) =>
        judged.ask<T>(question, { table: `market_data.${id}`, ...more })
      const summaries = async (id: TableId) =>
        (await ask<{ summary: Record<string, string> }[]>('snapshots', id)).map(({ summary }) => summary)

      async function expectRows(id: TableId, given: ColumnBatch[]): Promise<void> {
        expect(await ask<Digest>('scan', id)).toEqual(await digestBatches(given, columnsOf(id)))
      }

      async function expectSound(id: TableId): Promise<void> {
        expect((await ask<{ complaints: string[] }>('check_files', id)).complaints).toEqual([])
        expect((await verifyTable(judged.lake, judged.lake.table(id), { quick: false })).problems).toEqual([])
      }

      it('hold every row of every flush, whichever partition spec it was written in, and say how far the log is', async () => {
        const stream = createStreamTable(judged.lake, 'trades')
        const given: ColumnBatch[] = []
        const said: OffsetVector[] = []
        const flush = async (batches: ColumnBatch[], to: OffsetVector) => {
          const topic = to[0].topic
          const from = (await stream.offsets()).filter(own => own.topic === topic)
          const staged = batches.length > 0 ? [await stream.stage(batches)] : []
          await stream.commit({ staged, offsets: { from, to } })
          given.push(...batches)
          said.push(await stream.offsets())
        }
        await flush([], at({ 0: 1 })) // nothing but bad messages, into an empty table
        await flush([tradesAt(0, 1, 500), tradesAt(1, 0, 300)], at({ 0: 500, 1: 300 }))
        await flush([tradesAt(4, 0, 200, { topic: OTHER })], at({ 4: 200 }, { topic: OTHER }))
        await flush([oddBatch(TABLES.trades, 10_000, 400)], at({ 0: 501 }))
        await flush([tradesBatch(20_000, 50_000, { perDay: 1e6 })], at({ 1: 301 }))
        await flush([], at({ 0: 777 }))
        await flush([tradesAt(0, 777, 800)], at({ 0: 800 }))
        await expectRows('trades', given)
        const summed = await summaries('trades')
        expect(summed.map(summary => summary[OFFSETS_KEY])).toEqual(said.map(offsetsText))
        expect(new Set(summed.map(summary => summary[COMMIT_ID_KEY])).size).toBe(said.length)
        expect(summed[5]).toMatchObject({ 'total-records': summed[4]['total-records'] })
        expect(summed[5]).not.toHaveProperty('added-records')

        await compactTable(judged.lake, judged.lake.table('trades'), { minFiles: 2 })
        await expectRows('trades', given)
        expect((await summaries('trades')).at(-1)![OFFSETS_KEY]).toBe(offsetsText(said.at(-1)!))

        const log = logOf({ 0: [0, 900], 1: [0, 900] })
        await setOffsets(judged.lake, log, { topic: TOPIC, partition: 0, to: '400' })
        await stream.commit({
          staged: [await stream.stage([tradesAt(0, 400, 500), tradesAt(0, 700, 850)])],
          offsets: {
            from: await stream.offsets().then(now => now.filter(own => own.topic === TOPIC)),
            to: at({ 0: 850 }),
          },
        })
        given.push(tradesAt(0, 700, 777), tradesAt(0, 800, 850))
        await expectRows('trades', given)
      })

      it('hold what was set aside once', async () => {
        const stream = createStreamTable(judged.lake, 'dead_letters')
        const rows = Array.from({ length: 200 }, (_, offset) => ({ offset, bytes: Buffer.from([0, offset, 0xff]) }))
        const flush = async (from: number, to: number, next: number) => {
          const base = await stream.offsets()
          const staged = [await stream.stage([letters(rows.slice(from, to))])]
          await stream.commit({ staged, offsets: { from: base, to: at({ 0: next }) } })
        }
        await flush(0, 120, 120)
        await setOffsets(judged.lake, logOf({ 0: [0, 200] }), { topic: TOPIC, partition: 0, to: 'earliest' })
        await flush(50, 200, 200)
        await expectRows('dead_letters', [letters(rows)])
      })

      it('are written by one of many that want the lease', async () => {
        const { metadata } = await judged.lake.table('trades').load()
        const folder = leaseFolder(metadata.location)
        const { io } = judged.lake
        for (let round = 0; round < 3; round++) {
          const asked = Array.from({ length: 8 }, (_, i) =>
            createLeases({ io, folder, owner: { host: 'there', pid: 1, id: `k2-${i}` } }).acquire([TOPIC, OTHER]),
          )
          const held = (await Promise.all(asked)).flatMap(found => ('held' in found ? [found.held] : []))
          // Of several topics two may each take one, and both let go.
          expect(held.length).toBeLessThanOrEqual(1)
          await Promise.all(held.map(lease => lease.release()))
        }
        const one = createLeases({ io, folder, owner: { host: 'there', pid: 1, id: 'last' } })
        const found = await one.acquire([TOPIC, OTHER])
        expect('held' in found && found.held.isHeld()).toBe(true)
        if ('held' in found) await found.held.release()
        for (const id of ['trades', 'dead_letters'] as const) await expectSound(id)
      })
    },
  )
}
