// `k2 demo --check`: the whole path on a throwaway profile, from the simulated market to every door, judged and reported.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '../../contract/capability.ts'
import { connectClient } from '../../contract/client.ts'
import { cellOf } from '../../contract/columns.ts'
import { contract, type K2 } from '../../contract/index.ts'
import { timeLimit } from '../base/in-time.ts'
import { loadSample } from '../load-sample.ts'
import { throwawayConfig } from './throwaway-config.ts'
import { serve, type ServeOptions, type Serving } from '../serve.ts'
import { connectWebSocket } from '../wire/ws-client.ts'

type Print = (line: string) => void
type Demo = NonNullable<ServeOptions['demo']>
/** A check tells what it saw, or throws with what is wrong. */
type Check = [name: string, look: (serving: Serving, key: string, demo: Demo) => Promise<string>]

const FOLLOW_SECONDS = 5
const HEALTHY_WITHIN_MS = 10_000
const WRITTEN_WITHIN_MS = 15_000

const checks: Check[] = [
  ['every dependency is healthy', checkHealth],
  ['the tail takes in every message produced', checkTailIsWhole],
  ['REST gives the newest trades, exact and in order', checkRest],
  ['a stream gives every row once and in order', checkStream],
  ['every message is in the Iceberg tables once', checkWritten],
  ['the sample data is in Iceberg tables, and they are sound', checkLake],
  ['the page opens once for its token', checkPage],
]

export async function checkDemo(demo: Demo, print: Print): Promise<boolean> {
  const profile = await mkdtemp(join(tmpdir(), 'k2-check-'))
  const config = throwawayConfig(profile, { K2_LOG_LEVEL: 'warn', K2_CONSUMER_BATCH_SECONDS: '1' })
  const started = performance.now()
  // Without the demo at first: it would load the sample data beside the stream.
  const serving = await serve({ config, ui: true })
  let passed = true
  try {
    await serving.client['demo.start'](demo)
    await sleep(1_000)
    for (const [name, look] of checks) {
      const from = performance.now()
      const { ok, saw } = await look(serving, config.api.apiKey, demo).then(
        saw => ({ ok: true, saw }),
        (error: unknown) => ({ ok: false, saw: error instanceof Error ? error.message : String(error) }),
      )
      passed &&= ok
      print(`${ok ? 'ok    ' : 'FAILED'}  ${name}: ${saw} (${((performance.now() - from) / 1000).toFixed(1)} s)`)
    }
  } finally {
    await serving.close(timeLimit(5_000))
    await rm(profile, { recursive: true, force: true })
  }
  print(`${passed ? 'All well' : 'Not well'} after ${((performance.now() - started) / 1000).toFixed(1)} s.`)
  return passed
}

async function checkHealth({ client }: Serving): Promise<string> {
  // Engines come up one after the other, slowly on a machine that has other work.
  const deadline = performance.now() + HEALTHY_WITHIN_MS
  let { status, dependencies } = await client['system.health']({})
  while (status !== 'healthy' && performance.now() < deadline) {
    await sleep(200)
    ;({ status, dependencies } = await client['system.health']({}))
  }
  const ill = dependencies.find(({ healthy }) => !healthy)
  if (status !== 'healthy') throw new Error(`${ill?.name}: ${ill?.why}`)
  return dependencies.map(({ name, latency_ms }) => `${name} ${latency_ms} ms`).join(', ')
}

async function checkTailIsWhole({ client }: Serving, _key: string, demo: Demo): Promise<string> {
  await client['demo.stop']({})
  const { messages } = await client['demo.status']({})
  const deadline = performance.now() + 3_000
  let taken = 0
  while (taken < messages && performance.now() < deadline) {
    await sleep(20)
    const { tail } = await client['stats.get']({})
    taken = tail.trades.total_messages + tail.quotes.total_messages
  }
  await client['demo.start'](demo)
  if (taken !== messages) throw new Error(`${messages} messages were produced, ${taken} taken in`)
  return `${messages} of ${messages} messages`
}

async function checkRest({ url, client }: Serving, key: string): Promise<string> {
  const { data: symbols } = await client['symbols.list']({ exchange: 'ASX' })
  const { symbol } = symbols.reduce((most, next) => (next.trades > most.trades ? next : most))
  const response = await fetch(`${url}/v1/trades/recent?symbol=${symbol}&exchange=asx&limit=100`, {
    headers: { 'X-API-Key': key },
  })
  if (response.status !== 200) throw new Error(`status ${response.status}: ${await response.text()}`)
  const { data } = (await response.json()) as { data: { exchange_timestamp: string; price: string }[] }
  const times = data.map(row => row.exchange_timestamp)
  if (data.length === 0) throw new Error(`no trades of ${symbol}`)
  if (times.some((time, i) => i > 0 && time < times[i - 1])) throw new Error('the rows are out of order')
  const inexact = data.find(({ price }) => !/^\d+(\.\d{1,8})?$/.test(price))
  if (inexact) throw new Error(`the price ${inexact.price} is not an exact decimal`)
  return `${data.length} trades of ${symbol}, last ${data[data.length - 1].price}`
}

/** Over a real WebSocket: offsets of a partition must come one after the other. */
async function checkStream({ url }: Serving, key: string): Promise<string> {
  const port = await connectWebSocket(url, { apiKey: key })
  const client: Client<K2> = connectClient(contract, port)
  const next = new Map<string, number>()
  let rowCount = 0
  try {
    const signal = timeLimit(FOLLOW_SECONDS * 1000)
    for await (const { rows, missed } of client['tail.follow']({ data_type: 'trades' }, { signal })) {
      if (missed > 0) throw new Error(`${missed} rows were missed`)
      const { _topic, _partition, _offset } = rows.columns
      for (let row = 0; row < rows.rowCount; row++) {
        const place = JSON.stringify([cellOf(_topic, row), cellOf(_partition, row)])
        const offset = Number(cellOf(_offset, row))
        const expected = next.get(place) ?? offset
        if (offset !== expected) throw new Error(`${place}: offset ${offset} came where ${expected} was due`)
        next.set(place, offset + 1)
      }
      rowCount += rows.rowCount
    }
  } catch (error) {
    if ((error as { code?: string }).code !== 'CANCELLED') throw error
  } finally {
    port.close()
  }
  if (rowCount === 0) throw new Error('no rows came')
  return `${rowCount} rows from ${next.size} partitions in ${FOLLOW_SECONDS} s`
}

/** The writer follows by itself; the tables are read from their files. */
async function checkWritten({ client }: Serving, _key: string, demo: Demo): Promise<string> {
  await client['demo.stop']({})
  const deadline = performance.now() + WRITTEN_WITHIN_MS
  let { writer } = await client['stats.get']({})
  const isBehind = () => writer === null || writer.messages === 0 || writer.lag > 0
  while (isBehind() && performance.now() < deadline) {
    await sleep(100)
    writer = (await client['stats.get']({})).writer
  }
  const inLog = (await client['offsets.show']({})).reduce((sum, { latest }) => sum + Number(latest), 0)
  const { tables, problems } = await client['lake.verify']({})
  await client['demo.start'](demo)
  if (isBehind() || writer === null) throw new Error(writer?.why ?? 'the writer did not catch up')
  if (problems.length > 0) throw new Error(`${problems[0].file}: ${problems[0].problem}`)
  const rows = tables.reduce((sum, table) => sum + table.rows, 0)
  if (rows !== inLog) throw new Error(`${inLog} messages are in the log, ${rows} rows in the tables`)
  return `${rows} rows of ${inLog} messages in ${writer.commits} commits`
}

async function checkLake({ client }: Serving): Promise<string> {
  await loadSample(client)
  const { tables, problems } = await client['lake.verify']({})
  if (problems.length > 0) throw new Error(`${problems[0].file}: ${problems[0].problem}`)
  const { data: snapshots } = await client['snapshots.list']({ table: 'trades' })
  const rows = tables.reduce((sum, table) => sum + table.rows, 0)
  return `${rows} rows in ${tables.reduce((sum, { files }) => sum + files, 0)} files, ${snapshots.length} snapshots of trades`
}

async function checkPage({ pageUrl }: Serving): Promise<string> {
  const first = await fetch(pageUrl!, { redirect: 'manual' })
  const cookie = first.headers.get('set-cookie')?.split(';')[0]
  if (first.status !== 303 || !cookie) throw new Error(`the token was answered with status ${first.status}`)
  const page = await fetch(new URL('/', pageUrl), { headers: { cookie } })
  if (page.status !== 200 || !(await page.text()).includes('K2 Workstation')) throw new Error(`status ${page.status}`)
  const second = await fetch(pageUrl!, { redirect: 'manual' })
  if (second.status !== 401 && second.status !== 403) throw new Error('the token worked twice')
  return 'once, and not again'
}
