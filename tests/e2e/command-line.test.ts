import { spawn } from 'node:child_process'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { ask, launcher, newProfile, runK2, startK2 } from '../support/k2.ts'

it('shows what it can do', async () => {
  const { code, stdout } = await runK2(['--help'])
  expect(code).toBe(0)
  expect(stdout).toMatch(/serve[\s\S]*query/)
  const recent = await runK2(['query', 'recent', '--help'])
  expect(recent.stdout).toMatch(/-s, --symbol <text>[\s\S]*-n, --limit <n>[\s\S]*default 20/)
})

it.each([
  ['k2-query', ['recent', '--help'], '--symbol'],
  ['k2-ingest', ['load', '--help'], '--reference'],
])('answers to the name %s that existing scripts know', async (name, words, said) => {
  const program = join(newProfile(), name)
  symlinkSync(launcher, program)
  const { stdout, stderr } = await runK2(words, { program })
  expect(stdout + stderr).toContain(said)
})

it.each([
  [['--bogus'], '--bogus'],
  [['bogus'], 'bogus'],
  [['query', 'recent', '--symbl', 'BHP'], '--symbol'],
  [['query', 'recent', '--symbol', 'BHP', '--exchange', 'ASX', '--limit', 'many'], 'limit'],
  [['query', 'recent', '--symbol', 'BHP', '--exchange', 'ASX', '--limit', '0'], 'limit'],
  [['query', 'recent', '--symbol', 'BHP'], 'exchange: is required'],
  [['query', 'recent', '--output', 'xml'], 'table, json, csv, ndjson'],
  [['serve', '--port', 'eighty'], 'K2_API_PORT'],
  [['demo', '--rate', '0'], 'rate'],
  [['serve', '--rate', '5'], '--demo'],
  [['demo', '--rate', '1e9'], '200000'],
])('calls %j wrong usage and says what is right', async (words, said) => {
  const { code, stderr, stdout } = await runK2([...words, '--profile', newProfile()])
  expect(stderr).toContain(said)
  expect(stdout).toBe('')
  expect(code).toBe(2)
})

it('answers from an instance of its own when none runs, and says that this is partial', async () => {
  const { code, stdout, stderr } = await runK2([
    ...['query', 'recent', '--symbol', 'BHP', '--exchange', 'ASX', '--output', 'csv', '--profile', newProfile()],
  ])
  expect(code).toBe(0)
  expect(stdout).toMatch(/^message_id,trade_id,symbol,/)
  expect(stderr).toMatch(/No K2 runs on this profile.*k2 serve/)
})

it('calls nothing well where nothing runs, and says how the servers are', async () => {
  const { code, stdout } = await runK2(['doctor', '--profile', newProfile()], {
    env: { K2_KAFKA_BROKERS: '127.0.0.1:9', K2_SCHEMA_REGISTRY_URL: 'http://127.0.0.1:9' },
  })
  expect(stdout).toMatch(/^status +unhealthy/)
  expect(stdout).toMatch(/^log +false .*127\.0\.0\.1:9 cannot be reached/m)
  expect(stdout).toMatch(/^registry +false .*127\.0\.0\.1:9 cannot be reached: nothing listens there/m)
  expect(stdout).toMatch(/^lake +true/m)
  expect(stdout).toMatch(/^k2 +false .*No K2 runs on this profile/m)
  expect(code).toBe(1)
})

it('has no state of a writer where none runs', async () => {
  const { code, stdout, stderr } = await runK2(['ingest', 'status', '--profile', newProfile()])
  expect(stderr).toMatch(/^k2: No K2 runs on this profile.*k2 ingest offsets show/)
  expect(stdout).toBe('')
  expect(code).toBe(1)
})

it('says which server does not answer', async () => {
  const { code, stderr } = await runK2(['query', 'stats', '--connect', 'http://127.0.0.1:9', '--profile', newProfile()])
  expect(stderr).toContain('http://127.0.0.1:9')
  expect(stderr.trim().split('\n')).toHaveLength(1)
  expect(code).toBe(1)
})

it('prints every setting with where it came from, and no secret', async () => {
  const { code, stdout } = await runK2(['config', '--output', 'json', '--profile', newProfile()], {
    env: { K2_API_KEY: 'very-secret-key', K2_TAIL_MINUTES: '7' },
  })
  expect(code).toBe(0)
  const rows = JSON.parse(stdout) as { name: string; value: string; source: string }[]
  expect(rows.find(({ name }) => name === 'K2_TAIL_MINUTES')).toMatchObject({ value: '7', source: 'environment' })
  expect(rows.find(({ name }) => name === 'K2_PROFILE')).toMatchObject({ source: 'flag' })
  expect(rows.find(({ name }) => name === 'K2_S3_REGION')).toMatchObject({ source: 'default' })
  expect(stdout).not.toContain('very-secret-key')
})

it('stops at a setting it does not understand and names it', async () => {
  const profile = newProfile()
  writeFileSync(join(profile, 'k2.config.json'), '{"K2_TAIL_MINUTS": 5}')
  const { code, stderr } = await runK2(['serve', '--profile', profile], { env: { K2_LOG_LEVEL: 'loud' } })
  expect(stderr).toMatch(/K2_TAIL_MINUTS.*K2_TAIL_MINUTES/)
  expect(stderr).toMatch(/K2_LOG_LEVEL.*loud.*debug/s)
  expect(code).toBe(2)
})

it('names a port that is in use and how to choose another', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await sleep(50)
  const { port } = server.address() as AddressInfo
  const { code, stderr } = await runK2(['serve', '--port', String(port), '--profile', newProfile()])
  expect(stderr).toMatch(new RegExp(`Port ${port} .*in use.*--port`))
  expect(code).toBe(1)
})

it('refuses to open itself to the network with the well-known key', async () => {
  const { code, stderr } = await runK2(['serve', '--host', '0.0.0.0', '--port', '0', '--profile', newProfile()])
  expect(stderr).toContain('K2_API_KEY')
  expect(code).toBe(2)
})

it('names a profile it cannot use', async () => {
  const folder = newProfile()
  writeFileSync(join(folder, 'file'), '')
  const { code, stderr } = await runK2(['serve', '--profile', join(folder, 'file')])
  expect(stderr).toContain(join(folder, 'file'))
  expect(stderr).toContain('--profile')
  expect(code).toBe(2)
})

it('keeps a second instance off a profile and says how to reach the first', async () => {
  const { url, profile } = await startK2(['serve'])
  const { code, stderr } = await runK2(['serve', '--port', '0', '--profile', profile])
  expect(stderr).toContain(url)
  expect(stderr).toContain('--connect')
  expect(code).toBe(1)
})

it('asks the instance that runs on the profile, or the one that is named', async () => {
  const { url, profile } = await startK2(['serve', '--demo', '--rate', '5000'])
  await sleep(1_500)
  const here = await runK2(['query', 'recent', '-s', 'BHP', '-e', 'asx', '-n', '3', '-o', 'json', '--profile', profile])
  expect(here.code).toBe(0)
  const rows = JSON.parse(here.stdout) as { symbol: string; price: string }[]
  expect(rows).toHaveLength(3)
  expect(rows[0]).toMatchObject({
    symbol: 'BHP',
    exchange: 'ASX',
    price: expect.stringMatching(/^\d+(\.\d+)?$/) as string,
  })
  const there = await runK2(['query', 'symbols', '-o', 'ndjson', '--connect', url, '--profile', newProfile()])
  expect(there.stdout.trim().split('\n').length).toBeGreaterThanOrEqual(40)
  const quotes = await runK2([
    'query',
    'recent',
    '-s',
    'BTCUSDT',
    '-e',
    'BINANCE',
    '--type',
    'quotes',
    '--profile',
    profile,
  ])
  expect(quotes.stdout).toContain('bid_price')
})

it('loads no engine as a thin client', async () => {
  const { url } = await startK2(['serve'])
  const spy = join(import.meta.dirname, '../support/list-loaded.cjs')
  const options = { env: { NODE_OPTIONS: `--require ${spy}` } }
  const words = ['query', 'stats', '--profile', newProfile()]
  const hosted = await runK2(words, options)
  expect(hosted.stderr).toMatch(/loaded .*compose-\S+\.cjs.*live-/)
  const thin = await runK2([...words, '--connect', url], options)
  expect(thin.code).toBe(0)
  expect(thin.stderr).toContain('ws-client')
  expect(thin.stderr).not.toMatch(/compose-|live-|serve-/)
})

it('writes to a file, and says so when it cannot', async () => {
  const folder = newProfile()
  mkdirSync(join(folder, 'out'))
  const words = ['query', 'recent', '-s', 'BHP', '-e', 'ASX', '--profile', folder, '--out']
  expect((await runK2([...words, join(folder, 'out/rows.csv')])).code).toBe(0)
  expect(readFileSync(join(folder, 'out/rows.csv'), 'utf8')).toMatch(/^message_id,/)
  const { code, stderr } = await runK2([...words, join(folder, 'nowhere/rows.csv')])
  expect(stderr).toContain('nowhere/rows.csv')
  expect(code).toBe(2)
})

it('leaves a file as it was when the question was wrong', async () => {
  const folder = newProfile()
  writeFileSync(join(folder, 'rows.csv'), 'yesterday')
  const words = ['query', 'recent', '-s', 'BHP', '-e', 'ASX', '-n', '0', '-o', 'csv', '--profile', folder]
  expect((await runK2([...words, '--out', join(folder, 'rows.csv')])).code).toBe(2)
  expect(readFileSync(join(folder, 'rows.csv'), 'utf8')).toBe('yesterday')
  expect(readdirSync(folder).filter(name => name.startsWith('rows'))).toEqual(['rows.csv'])
})

it('says of its own engines that nothing else runs, whatever is asked', async () => {
  const { stdout, stderr } = await runK2(['query', 'stats', '--profile', newProfile()])
  expect(stdout).toContain('tail.trades.total_messages')
  expect(stderr).toContain('No K2 runs on this profile')
})

it('follows live rows until it is interrupted', async () => {
  const { profile } = await startK2(['serve', '--demo', '--rate', '5000'])
  const child = spawn(process.execPath, [launcher, 'query', 'follow', '-o', 'ndjson', '--profile', profile])
  let printed = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text))
  while (printed.split('\n').length < 100) await sleep(20)
  child.kill('SIGINT')
  const code = await new Promise(resolve => child.once('close', resolve))
  expect(code).toBe(130)
  const lines = printed.trim().split('\n').slice(0, 100)
  expect(lines.map(line => Object.keys(JSON.parse(line) as object)).every(keys => keys.includes('price'))).toBe(true)
})

it('prints totals when it is stopped, and leaves the profile free', async () => {
  const { url, signal, ended, profile } = await startK2(['serve', '--demo'])
  const taken = async () => {
    const { body } = await ask<{ data: { tail: { trades: { total_messages: number } } } }>(url, '/v1/stats')
    return body.data.tail.trades.total_messages
  }
  while ((await taken()) < 10) await sleep(20)
  signal('SIGTERM')
  const { code, stdout } = await ended
  expect(stdout).toMatch(/messages=\d{2,} rows=\d+ commits=\d+ duration_seconds=\d/)
  expect(code).toBe(0)
  const again = await startK2(['serve'], { profile })
  expect((await ask(again.url, '/health')).status).toBe(200)
})

it('ends with 130 when it is interrupted', async () => {
  const { signal, ended } = await startK2(['serve'])
  signal('SIGINT')
  expect((await ended).code).toBe(130)
})

it('runs the whole path and reports it', async () => {
  // Not on what is configured: that may be somebody's.
  const env = { K2_KAFKA_BROKERS: '127.0.0.1:9', K2_WAREHOUSE: '/nowhere/at/all', K2_WRITER: 'off' }
  const { code, stdout } = await runK2(['demo', '--check'], { env })
  expect(stdout).not.toContain('FAILED')
  expect(stdout).toMatch(/^ok +every message is in the Iceberg tables once: (\d+) rows of \1 messages in \d+ commits/m)
  expect(stdout.match(/^ok/gm)).toHaveLength(7)
  expect(code).toBe(0)
})
