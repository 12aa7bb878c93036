import { expect, it } from 'vitest'
import { rowsOf, timestampText } from '../../../../src/contract/columns.ts'
import { append, DAY_MICROS, START_MICROS, tradesBatch } from '../../../support/lake.ts'
import { openSqlLake } from './sql-lake.ts'

const SESSION = '00000000-0000-4000-8000-000000000000'
const COUNT = 'SELECT count(*)::INTEGER AS n, max(exchange_timestamp) < $1::TIMESTAMPTZ AS isBefore FROM trades'

it('sees in a session the rows of its snapshot before its clock, and no others', async () => {
  let snapshot = ''
  let untilMicros = START_MICROS + DAY_MICROS / 2
  const { lake, client } = await openSqlLake({
    live: () => Promise.reject(new Error('a session never asks the live view')),
    seenIn: ({ replay_session: session }) => {
      expect(session).toBe(SESSION)
      return table => ({ past: table === 'trades' ? { snapshot_id: snapshot } : {}, untilMicros })
    },
  })
  snapshot = (await append(lake, tradesBatch(0, 2_000))).snapshotId
  await append(lake, tradesBatch(0, 300))
  const ask = async () => {
    const params = [timestampText(untilMicros)]
    const { data, query } = await client['sql.run']({ sql: COUNT, params, replay_session: SESSION })
    expect(query).toMatchObject({ engine: 'lake', snapshot_id: snapshot, partial: false })
    return rowsOf(data)[0]
  }
  expect(await ask()).toEqual({ n: 500, isBefore: true })
  untilMicros += DAY_MICROS / 4
  expect(await ask()).toEqual({ n: 750, isBefore: true })
  const opened = await client['results.open']({ sql: 'FROM trades', replay_session: SESSION })
  expect(opened.row_count).toBe(750)
  const chunks: Uint8Array[] = []
  for await (const chunk of client['sql.export']({
    sql: 'SELECT price FROM trades',
    format: 'csv',
    replay_session: SESSION,
  }))
    chunks.push(chunk)
  expect(Buffer.concat(chunks).toString().trim().split('\r\n')).toHaveLength(751)
  await expect(
    client['sql.run']({ sql: `FROM trades AT (VERSION => ${snapshot})`, replay_session: SESSION }),
  ).rejects.toThrow('leave out AT')
})
