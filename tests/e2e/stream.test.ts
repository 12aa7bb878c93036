// The stream from a shell, on a bare machine: an exchange's market data into the tables, and a K2 that is killed.
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { offsetsAt } from '../../src/main/lake/offsets.ts'
import { startBinanceServer } from '../support/binance-server.ts'
import { newProfile, runK2, startK2 } from '../support/k2.ts'
import { readRows, tempLake } from '../support/lake.ts'

type Rows = Record<string, unknown>[]
const rowsIn = async (profile: string, table: string) => {
  const ran = await runK2(['--profile', profile, 'lake', 'verify', '-o', 'json'])
  const { status, tables } = JSON.parse(ran.stdout) as { status: string; tables: Rows }
  expect(status).toBe('sound')
  return Number(tables.find(row => row.table === table)?.rows)
}

/** One that trades until the test ends, and the command that takes so many messages of it in. */
async function openExchange() {
  const server = await startBinanceServer()
  onTestFinished(() => server.stop())
  const trading = setInterval(() => server.trade('BTCUSDT', 5), 20)
  onTestFinished(() => clearInterval(trading))
  const profile = newProfile()
  const words = ['--profile', profile, 'ingest', 'stream', 'binance', '--symbols', 'BTCUSDT', '--max-messages']
  const stream = (messages: number, env: Record<string, string> = {}) =>
    runK2([...words, String(messages)], { env: { K2_BINANCE_WEBSOCKET_URL: server.url, ...env } })
  return { profile, stream }
}

it('takes an exchange in by one command, and has it in the tables when the command ends', async () => {
  const { profile, stream } = await openExchange()
  const first = await stream(200)
  expect(first.code).toBe(0)
  expect(first.stderr).toMatch(/messages=200 trades=200 .*errors=0/)
  expect(await rowsIn(profile, 'trades')).toBe(200)
  // What came while nobody listened is a gap that is written down, not silence.
  await stream(200)
  expect(await rowsIn(profile, 'trades')).toBe(400)
  expect(await rowsIn(profile, 'sequence_gaps')).toBe(1)
})

it('says that not all is in the tables when these cannot be written, and writes it the next time', async () => {
  const { profile, stream } = await openExchange()
  const closedPort = 'http://127.0.0.1:9'
  expect((await stream(100, { K2_CATALOG: closedPort })).stderr).toContain('Not all of it is in the tables yet')
  expect((await stream(100)).stderr).not.toContain('Not all of it')
  expect(await rowsIn(profile, 'trades')).toBe(200)
})

it('loses and doubles nothing of what was taken in when it is killed', async () => {
  const profile = newProfile()
  const first = await startK2(['serve', '--demo', '--no-ui', '--rate', '3000'], { profile })
  await sleep(6_000)
  first.signal('SIGKILL')
  await first.ended
  const second = await startK2(['serve', '--no-ui'], { profile })
  await sleep(6_000)
  second.signal('SIGTERM')
  expect((await second.ended).stdout).toMatch(/messages=\d+ rows=\d+ commits=\d+ duration_seconds=/)
  const lake = await tempLake({ folder: profile })
  for (const table of ['trades', 'quotes'] as const) {
    const { metadata } = await lake.table(table).load()
    const committed = offsetsAt(metadata).flatMap(({ next }) => Object.values(next))
    const messages = committed.reduce((sum, next) => sum + next, 0)
    expect(messages).toBeGreaterThan(1_000)
    // The sample data beside it came from no log.
    const rows = await readRows(lake, { table, filter: [{ column: '_topic', op: 'is not null' }] })
    const places = new Set(rows.map(({ _topic, _partition, _offset }) => JSON.stringify([_topic, _partition, _offset])))
    expect([rows.length, places.size]).toEqual([messages, messages])
  }
})
