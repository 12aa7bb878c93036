import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DuckDBConnection } from '@duckdb/node-api'
import { TABLES } from '../../src/contract/tables.ts'
import type { TableMetadata } from '../../src/main/lake/iceberg/metadata.ts'
import { compactTable } from '../../src/main/lake/maintain/compact-table.ts'
import { expireSnapshots } from '../../src/main/lake/maintain/expire-snapshots.ts'
import { rollBack } from '../../src/main/lake/travel/roll-back.ts'
import { tagSnapshot } from '../../src/main/lake/travel/tag-snapshot.ts'
import { oddBatch } from '../support/pyiceberg-batches.ts'
import type { AskedCondition, AskedFilter } from '../support/pyiceberg-filter.ts'
import { needsOf, openJudgedLake, type JudgedLake } from '../support/pyiceberg-lake.ts'
import { readAsked, type Asked } from '../support/pyiceberg-reading.ts'
import { startJudge, type Judge } from '../support/pyiceberg.ts'

const KINDS = ['rest', 'rest and S3'] as const

const FILTERS: AskedFilter[] = [
  [{ column: 'symbol', op: '=', value: 'BHP' }],
  [{ column: 'symbol', op: 'in', values: ['RIO', '株式会社', 'NOT THERE'] }],
  [{ column: 'symbol', op: '>', value: 'Z' }],
  [{ column: 'exchange_timestamp', op: '>=', value: '2014-03-12T00:00:00+00:00' }],
  [
    { column: 'exchange_timestamp', op: '>=', value: '2014-03-12T01:00:00.000001+00:00' },
    { column: 'exchange_timestamp', op: '<', value: '2014-03-12T02:30:00+00:00' },
    { column: 'symbol', op: '=', value: 'RIO' },
  ],
  [{ column: 'exchange_timestamp', op: '<', value: '1970-01-01T00:00:00+00:00' }],
  [{ column: 'price', op: '>=', value: '9999999999.99999999' }],
  [{ column: 'price', op: '<', value: '-0.00000001' }],
  [{ column: 'exchange', op: '=', value: 'ASX' }],
  [{ column: 'side', op: 'is null' }],
  [{ column: 'source_sequence', op: '=', value: '9223372036854775807' }],
  [{ column: 'message_id', op: '=', value: 'message_id-1023' }],
]

/** As Iceberg's Java writes expressions in JSON; 64-bit numbers stand bare. */
const NAMES = { '=': 'eq', '<': 'lt', '<=': 'lt-eq', '>': 'gt', '>=': 'gt-eq' }
const NULL_NAMES = { 'is null': 'is-null', 'is not null': 'not-null' }

function expressionText(filter: AskedFilter): string {
  const [first, ...rest] = filter.map(conditionText)
  return rest.reduce((left, right) => `{"type":"and","left":${left},"right":${right}}`, first)
}

function conditionText(condition: AskedCondition): string {
  const term = JSON.stringify(condition.column)
  if (condition.op === 'in') return `{"type":"in","term":${term},"values":${JSON.stringify(condition.values)}}`
  if (!('value' in condition)) return `{"type":"${NULL_NAMES[condition.op]}","term":${term}}`
  const isLong = condition.column === 'source_sequence'
  const value = isLong ? condition.value : JSON.stringify(condition.value)
  return `{"type":"${NAMES[condition.op]}","term":${term},"value":${value}}`
}

interface JavaPlan {
  status: string
  'file-scan-tasks'?: { 'data-file': { 'file-path': string } }[]
  'plan-tasks'?: string[]
}

for (const kind of KINDS) {
  const { skip, because } = needsOf(kind)
  describe.skipIf(skip)(`our tables in ${kind}, judged by Iceberg's Java${because}`, { timeout: 120_000 }, () => {
    let judge: Judge
    let judged: JudgedLake
    let connection: DuckDBConnection

    beforeAll(async () => {
      judge = await startJudge()
      judged = await openJudgedLake(kind, judge)
      connection = await judged.lake.duck.connect()
    })
    afterAll(async () => {
      await judged.close()
      await judge.close()
    })

    const url = () => `${judged.restUrl}/v1/namespaces/market_data/tables/trades`
    const trades = () => judged.lake.table('trades')

    async function javaFiles({ snapshotId, filter = [] }: Asked): Promise<string[]> {
      const parts = [
        ...(snapshotId === undefined ? [] : [`"snapshot-id":${snapshotId}`]),
        ...(filter.length === 0 ? [] : [`"filter":${expressionText(filter)}`]),
      ]
      const answer = await fetch(`${url()}/plan`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: `{${parts.join(',')}}`,
      })
      const text = await answer.text()
      expect([answer.status, text.slice(0, 300)]).toEqual([200, expect.stringContaining('"status":"completed"')])
      const plan = JSON.parse(text) as JavaPlan
      const tasks = [...(plan['file-scan-tasks'] ?? [])]
      for (const task of plan['plan-tasks'] ?? []) {
        const more = await fetch(`${url()}/tasks`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ 'plan-task': task }),
        })
        tasks.push(...((await more.json()) as JavaPlan)['file-scan-tasks']!)
      }
      return tasks.map(task => task['data-file']['file-path']).sort()
    }

    async function expectSameFiles(metadata: TableMetadata, asked: Asked): Promise<string[]> {
      const { files } = await readAsked(connection, judged.lake.io, metadata, asked)
      expect({ asked, files: await javaFiles(asked) }).toEqual({ asked, files })
      return files
    }

    it('plans the same files, at every snapshot and under filters', async () => {
      for (const [turn, specId] of [0, 1, 0].entries())
        await judged.append('trades', specId, [oddBatch(TABLES.trades, turn * 1000, 300)])
      const { metadata } = await trades().load()
      const all = await expectSameFiles(metadata, {})
      for (const snapshot of metadata.snapshots)
        await expectSameFiles(metadata, { snapshotId: snapshot['snapshot-id'] })
      let pruned = 0
      for (const filter of FILTERS) pruned += all.length - (await expectSameFiles(metadata, { filter })).length
      expect(pruned).toBeGreaterThan(all.length)
    })

    it('takes every kind of commit of ours by its own rules, and plans the same files after each', async () => {
      const table = trades()
      const first = (await table.load()).metadata.snapshots[0]['snapshot-id']
      const steps = {
        tag: () => tagSnapshot(table, 'first', first),
        compact: () => compactTable(judged.lake, table, { minFiles: 2 }),
        append: () => judged.append('trades', 0, [oddBatch(TABLES.trades, 9000, 100)]),
        'roll back': () => rollBack(table, first),
        'append again': () => judged.append('trades', 1, [oddBatch(TABLES.trades, 9500, 100)]),
      }
      for (const [step, run] of Object.entries(steps)) {
        await run()
        const { metadata } = await table.load()
        expect([step, (await expectSameFiles(metadata, {})).length > 0]).toEqual([step, true])
        await expectSameFiles(metadata, { filter: FILTERS[0] })
      }
    })

    it('lets go of what we expire, and plans what is kept', async () => {
      const table = trades()
      const before = (await table.load()).metadata
      await expireSnapshots(table, { retention: { keep: [], most: 1 } })
      const after = (await table.load()).metadata
      expect(after.snapshots.length).toBeLessThan(before.snapshots.length)
      for (const snapshot of after.snapshots) await expectSameFiles(after, { snapshotId: snapshot['snapshot-id'] })
      expect(Object.keys(after.refs).sort()).toEqual(['first', 'main'])
    })
  })
}
