// The tables from a shell, as a person works with them: loaded, listed, tagged, compared, compacted, rolled back, checked.
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { newProfile, runK2, startK2, type Ran } from '../support/k2.ts'
import { makeTempFolder } from '../support/temp-folder.ts'

const sample = resolve(import.meta.dirname, '../../resources/sample')
const reference = join(sample, 'company_info.csv')

type Rows = Record<string, unknown>[]
const json = (ran: Ran): Rows => {
  expect(ran.stderr).not.toMatch(/^k2:/m)
  return JSON.parse(ran.stdout) as Rows
}

function shell(profile = newProfile()) {
  const k2 = (...words: string[]) => runK2(['--profile', profile, ...words])
  return {
    profile,
    k2,
    load: (...words: string[]) => k2('ingest', 'load', ...words, '--exchange', 'asx', '--reference', reference),
    snapshots: async () => json(await k2('lake', 'snapshots', '-o', 'json')),
  }
}

/** Trades of one minute in the k2 form. */
function writeTrades(count: number): string {
  const file = join(makeTempFolder(), 'trades.csv')
  const rows = Array.from(
    { length: count },
    (_, i) => `BHP,2014-03-10T00:00:${String(i % 60).padStart(2, '0')}Z,36.${i},100,${i}`,
  )
  writeFileSync(file, ['symbol,exchange_timestamp,price,quantity,sequence_number', ...rows, ''].join('\n'))
  return file
}

describe('the command line of the lake', () => {
  it('makes the tables and says where they are', async () => {
    const { k2, profile } = shell()
    const made = json(await k2('lake', 'init', '-o', 'json'))
    expect(made.map(({ table, state }) => [table, state])).toEqual(
      ['trades', 'quotes', 'reference_data', 'sequence_gaps', 'dead_letters'].map(table => [table, 'created']),
    )
    expect(made[0].location).toBe(`file://${profile}/warehouse/market_data/trades`)
    expect(json(await k2('lake', 'init', '-o', 'json')).every(({ state }) => state === 'there')).toBe(true)
  })

  it('says what to do when there is no table yet', async () => {
    const { code, stderr } = await shell().k2('lake', 'snapshots')
    expect(code).toBe(1)
    expect(stderr).toMatch(/k2 lake init/)
  })

  it('loads the sample once, and tells each file and the whole', async () => {
    const { load } = shell()
    const first = await load(sample)
    expect(first.stdout).toMatch(/^loaded {2}7078_trades\.csv\.gz: 98,487 rows, [\d,]+ rows\/s, snapshot \d+$/m)
    expect(first.stderr).toMatch(/^files=9 skipped=0 failed=0 rows=366801 bad_rows=0 duration_seconds=/m)
    expect(first.stderr, 'no progress is drawn into a pipe').not.toContain('\r')
    const again = await load(sample)
    expect(again.stdout).toMatch(/^skipped 7078_trades\.csv\.gz: Its content was loaded on /m)
    expect([first.code, again.code]).toEqual([0, 0])
  })

  it('keeps bad rows beside the good ones, and fails for a file that cannot be read at all', async () => {
    const { load } = shell()
    const file = writeTrades(20)
    writeFileSync(file, 'BHP,yesterday,36.1,100,21\n', { flag: 'a' })
    const dead = join(makeTempFolder(), 'dead.jsonl')
    const ran = await load(file, '--type', 'trades', '--dlq', dead)
    expect([ran.code, ran.stdout]).toEqual([0, expect.stringContaining('20 rows, 1 bad ones in ')])
    const missing = await load(join(makeTempFolder(), 'none.csv'), '--type', 'trades')
    expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining('none.csv')])
  })

  it('tags, compares, rolls back, compacts, expires and checks', { timeout: 120_000 }, async () => {
    const { k2, load, snapshots } = shell()
    await load(writeTrades(30), '--type', 'trades')
    await k2('lake', 'tag', 'before')
    await load(writeTrades(40), '--type', 'trades')
    const [second, first] = await snapshots()
    expect([first.refs, second.refs, second.total_rows]).toEqual([['before'], ['main'], 70])

    const diff = await k2('lake', 'diff', String(first.snapshot_id), String(second.snapshot_id), '-o', 'json')
    expect(diff.stderr).toContain('added 40, removed 0')
    expect((JSON.parse(diff.stdout) as Rows).every(({ change }) => change === 'added')).toBe(true)

    const [compacted] = json(await k2('lake', 'compact', '--table', 'trades', '-o', 'json'))
    expect(compacted).toMatchObject({ files_before: 2, files_after: 1, rows: 70, commits: 1 })
    const rolledBack = JSON.parse(
      (await k2('lake', 'rollback', String(first.snapshot_id), '-o', 'json')).stdout,
    ) as object
    expect(rolledBack).toMatchObject({ rows_before: 70, rows_after: 30, rolled_back_to: first.snapshot_id })
    const [expired] = json(await k2('lake', 'expire', '--table', 'trades', '--dry-run', '-o', 'json'))
    expect(expired, 'all of the last hour is kept').toMatchObject({ snapshots_removed: 0, snapshots_kept: 4 })
    expect(json(await k2('lake', 'orphans', '-o', 'json'))).toEqual([])
    expect(await k2('lake', 'verify')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^status +sound/m) as string,
    })
  })

  it('ends with 1 when a check finds something, and names the file', async () => {
    const { k2, load, profile } = shell()
    await load(writeTrades(10), '--type', 'trades')
    const data = join(profile, 'warehouse/market_data/trades/data')
    const lost = readdirSync(data, { recursive: true, encoding: 'utf8' }).find(name => name.endsWith('.parquet'))!
    rmSync(join(data, lost))
    const { code, stdout } = await k2('lake', 'verify', '-o', 'json')
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'unsound',
      problems: [{ table: 'trades', file: expect.stringContaining(lost) as string, problem: 'The file is not there.' }],
    })
  })

  it('works on the warehouse also while the app runs, whose REST shows it', async () => {
    const { url, profile } = await startK2(['serve', '--no-ui'])
    const { load } = shell(profile)
    await load(writeTrades(25), '--type', 'trades')
    const answer = await fetch(`${url}/v1/snapshots?table=trades`, { headers: { 'X-API-Key': 'k2-dev-api-key-2026' } })
    const { data, meta } = (await answer.json()) as { data: Rows; meta: { query: { engine: string } } }
    expect(data).toMatchObject([{ added_rows: 25, operation: 'append' }])
    expect(meta.query.engine).toBe('catalog')
  })
})
