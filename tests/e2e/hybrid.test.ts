// Fresh and history in one answer in the program as it runs: its processes, its writer, over REST.
import { expect, it, vi } from 'vitest'
import type { QueryMeta, Receipt } from '../../src/contract/fields.ts'
import { ask, KEY, startK2 } from '../support/k2.ts'

interface Recent {
  data: { message_id: string; exchange_timestamp: string }[]
  meta: { query: QueryMeta }
}

const BHP = 'symbol=BHP&exchange=asx&limit=10000'

it('answers with rows of the tables and of the log, gives them again by receipt, and goes on without history', async () => {
  const { url } = await startK2(['serve', '--demo', '--rate', '3000'], { env: { K2_CONSUMER_BATCH_SECONDS: '1' } })
  const recent = async (more = '') => (await ask<Recent>(url, `/v1/trades/recent?${BHP}${more}`)).body
  const answer = await vi.waitFor(
    async () => {
      const { data, meta } = await recent('&receipt=true')
      expect(meta.query).toMatchObject({ engine: 'hybrid', partial: false, told_by: 'offsets' })
      expect(meta.query.sources.lake!.rows).toBeGreaterThan(0)
      expect(meta.query.sources.tail!.rows).toBeGreaterThan(0)
      return { data, query: meta.query }
    },
    { timeout: 60_000, interval: 250 },
  )
  expect(new Set(answer.data.map(({ message_id: id }) => id)).size).toBe(answer.data.length)
  const times = answer.data.map(({ exchange_timestamp: time }) => time)
  expect(times).toEqual(times.toSorted())

  const again = await vi.waitFor(() => readAgain(url, answer.query.receipt!), { timeout: 30_000, interval: 250 })
  expect(again).toEqual(answer.data)

  const { processes } = (await ask<{ data: { processes: { name: string; pid: number }[] } }>(url, '/v1/stats')).body
    .data
  process.kill(processes.find(({ name }) => name === 'history')!.pid, 'SIGKILL')
  const next = await recent()
  expect(next.data.length).toBeGreaterThan(0)
})

async function readAgain(url: string, receipt: Receipt): Promise<Recent['data']> {
  const response = await fetch(`${url}/v1/receipts`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': KEY },
    body: JSON.stringify(receipt),
  })
  expect(response.status).toBe(200)
  return ((await response.json()) as Recent).data
}
