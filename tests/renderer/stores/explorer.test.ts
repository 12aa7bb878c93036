// The explorer over a real lake, by the contract over a real port; where only a clock matters, over answers that are counted.
import { createStore } from 'zustand/vanilla'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Handlers } from '../../../src/contract/capability.ts'
import { rowsOf, timestampText } from '../../../src/contract/columns.ts'
import { Failure } from '../../../src/contract/failure.ts'
import type { K2 } from '../../../src/contract/index.ts'
import type { SessionState } from '../../../src/contract/replay-sessions.ts'
import { createExplorer, type Explorer, type Run } from '../../../src/renderer/stores/explorer.ts'
import { createInstruments } from '../../../src/renderer/stores/instruments.ts'
import { createMoment } from '../../../src/renderer/stores/moment.ts'
import type { Focus } from '../../../src/renderer/stores/workspace.ts'
import { append, START_MICROS, tradesBatch } from '../../support/lake.ts'
import { openTestLink, until } from '../../support/page-link.ts'
import { openSqlLake } from '../../main/query/sql/sql-lake.ts'

const WAIT_MS = 15_000
const HOUR = 3_600_000_000

function openExplorer(answers: Partial<Handlers<K2>>) {
  const { link } = openTestLink({ answers, answerMs: 20_000, checkEveryMs: 5_000 })
  const instruments = createInstruments()
  const moment = createMoment()
  const focus = createStore<Focus>(() => ({}))
  const replay = createStore<{ session?: SessionState }>(() => ({}))
  const explorer = createExplorer({ link, moment, focus, replay, newestMicros: () => 0 })
  onTestFinished(explorer.close)
  const select = (symbol: string) => focus.setState({ instrument: instruments.find(symbol, 'ASX') })
  const settled = (run: (run: Run) => boolean = ({ result }) => result !== undefined) =>
    until(() => {
      const shown = runOf(explorer)
      return !shown.isRunning && run(shown)
    }, WAIT_MS)
  return { link, moment, focus, replay, explorer, select, settled }
}

const runOf = ({ state }: Explorer) => state.getState().runs[state.getState().tab]

/** 3,000 trades of seven symbols over three days. */
async function openOverLake() {
  const { lake, client } = await openSqlLake()
  await append(lake, tradesBatch(0, 3_000))
  const last = START_MICROS + 2.9 * 24 * HOUR
  const range = { data_type: 'trades' as const, start_date: null, end_date: null, first: null, rows: 1 }
  const opened = openExplorer({
    'results.open': (ask, { signal }) => client['results.open'](ask, { signal }),
    'results.window': (ask, { signal }) => client['results.window'](ask, { signal }),
    'results.export': (ask, { signal }) => client['results.export'](ask, { signal }),
    'results.close': (ask, { signal }) => client['results.close'](ask, { signal }),
    'sql.export': (ask, { signal }) => client['sql.export'](ask, { signal }),
    'dates.range': () => ({ data: { ...range, last: timestampText(last) }, query: PLAIN }),
  })
  await until(() => opened.link.store.getState().state === 'connected', WAIT_MS)
  return opened
}

const PLAIN = {
  ms: 1,
  engine: 'lake' as const,
  snapshot_id: null,
  watermark: null,
  freshness_ms: null,
  partial: false,
  why: null,
  sources: {},
}

async function rowsIn(explorer: Explorer, count = 10_000) {
  const { rows } = await runOf(explorer).result!.window(0, count, [], [])
  return rowsOf(rows)
}

describe('rows of the tables', () => {
  it('are those of the last hour that has any, of the selected symbol, newest first', { timeout: 60_000 }, async () => {
    const { explorer, select, settled } = await openOverLake()
    select('SYM3')
    await settled()
    const rows = await rowsIn(explorer)
    const times = rows.map(row => row.exchange_timestamp as string)
    expect(new Set(rows.map(({ symbol }) => symbol))).toEqual(new Set(['SYM3']))
    expect(times).toEqual([...times].sort().reverse())
    expect(times.at(-1)! >= timestampText(START_MICROS + 2.9 * 24 * HOUR - HOUR)).toBe(true)
    explorer.narrow({ range: 'all' })
    await settled(({ result }) => result!.row_count > rows.length)
    expect(runOf(explorer).result!.row_count).toBe(Math.ceil((3_000 - 3) / 7))
    expect(explorer.undo()).toBe(true)
    await settled(({ result }) => result!.row_count === rows.length)
    expect(explorer.undo()).toBe(false)
  })

  it('follow the selection only while they are linked to it', { timeout: 60_000 }, async () => {
    const { explorer, select, settled } = await openOverLake()
    select('SYM1')
    await settled()
    select('SYM2')
    const symbols = async () => [...new Set((await rowsIn(explorer)).map(({ symbol }) => symbol))]
    const { result: first } = runOf(explorer)
    await settled(({ result }) => result !== first)
    expect(await symbols()).toEqual(['SYM2'])
    explorer.narrow({ scope: 'all' })
    const { result: second } = runOf(explorer)
    await settled(({ result }) => result !== second)
    expect((await symbols()).length).toBe(7)
    const { result: third } = runOf(explorer)
    select('SYM3')
    await new Promise(resolve => setTimeout(resolve, 400))
    expect(runOf(explorer).result).toBe(third)
  })

  it('are a file as they are sorted and filtered', { timeout: 60_000 }, async () => {
    const { explorer, select, settled } = await openOverLake()
    select('SYM3')
    await settled()
    explorer.narrow({ range: 'all' })
    await settled(({ result }) => result!.row_count > 100)
    const { result } = runOf(explorer)
    const sort = [{ column: 'price', descending: true }]
    const filter = [{ column: 'side', op: '=' as const, value: 'BUY' }]
    const { row_count, rows } = await result!.window(0, 1_000, sort, filter)
    let csv = ''
    for await (const part of result!.file('csv', sort, filter)) csv += Buffer.from(part).toString()
    const lines = csv.trimEnd().split('\r\n').slice(1)
    expect(lines).toHaveLength(row_count)
    const ids = rowsOf(rows).map(({ message_id }) => message_id)
    expect(lines.map(line => line.split(',').at(-1))).toEqual(ids)
  })

  it('are a file to its end when others take their place meanwhile', { timeout: 60_000 }, async () => {
    const { link, explorer, settled } = await openOverLake()
    explorer.show('sql')
    explorer.write("SELECT i, 'row number ' || i AS name FROM range(200_000) AS of(i)")
    await explorer.run()
    await settled()
    const client = link.store.getState().client!
    const closed: string[] = []
    const watched: typeof client = {
      ...client,
      'results.close': (ask, options) => {
        closed.push(ask.result)
        return client['results.close'](ask, options)
      },
    }
    link.store.setState({ client: watched })
    const { result } = runOf(explorer)
    const parts: Uint8Array[] = []
    for await (const part of result!.file('csv', [{ column: 'i', descending: true }], [])) {
      if (parts.length === 0) {
        await explorer.run()
        expect(runOf(explorer).result).not.toBe(result)
        expect(closed).toEqual([])
      }
      parts.push(part)
    }
    const lines = Buffer.concat(parts).toString().trimEnd().split('\r\n')
    expect([lines.length, lines.at(-1)]).toEqual([200_001, '0,row number 0'])
    expect(closed).toHaveLength(1)
    await expect(result!.window(0, 1, [], [])).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('stay, with the fault beside them, when the next statement fails', { timeout: 60_000 }, async () => {
    const { explorer, settled } = await openOverLake()
    explorer.show('sql')
    explorer.write('SELECT 1 AS one')
    await explorer.run()
    const { result, question } = runOf(explorer)
    explorer.write('SELECT nothing FROM trades')
    await explorer.run()
    await settled(({ failure }) => failure !== undefined)
    expect(runOf(explorer).failure?.code).toBe('INVALID_INPUT')
    expect(runOf(explorer).result).toBe(result)
    expect(runOf(explorer).question).toBe(question)
  })

  it('are asked once more when K2 no longer holds them', { timeout: 60_000 }, async () => {
    const { link, explorer, select, settled } = await openOverLake()
    select('SYM3')
    await settled()
    const rows = await rowsIn(explorer)
    const { result } = runOf(explorer)
    let asked = 0
    const client = link.store.getState().client!
    const lost: typeof client = {
      ...client,
      'results.window': (ask, options) => {
        if (asked++ === 0) throw new Failure('NOT_FOUND', 'The result is not held any more.')
        return client['results.window'](ask, options)
      },
    }
    link.store.setState({ client: lost })
    expect(rowsOf((await result!.window(0, 10_000, [], [])).rows)).toEqual(rows)
    expect(asked).toBe(2)
  })
})

const SESSION: SessionState = {
  session: '00000000-0000-4000-8000-000000000001',
  state: 'paused',
  stage: 'lake',
  clock: timestampText(START_MICROS),
  visible_until: timestampText(START_MICROS),
  direction: 'forward',
  speed: 1,
  order: 'event',
  start_time: null,
  end_time: null,
  rows: 0,
  late: 0,
  turns: 0,
  checksum: '0',
  loop: null,
  snapshots: {},
  why: null,
}

describe('in a replay', () => {
  async function openReplay() {
    const asked: { atMs: number; session?: string }[] = []
    const opened = openExplorer({
      'results.open': ({ replay_session }) => {
        asked.push({ atMs: performance.now(), session: replay_session })
        return { result: SESSION.session, row_count: 1, columns: [], is_truncated: false, advice: null, query: PLAIN }
      },
    })
    const { moment, replay, select, explorer, settled } = opened
    select('SYM1')
    moment.goReplay()
    moment.clockMicros = START_MICROS
    replay.setState({ session: SESSION })
    moment.goReplay(SESSION.session)
    await settled()
    const tick = (second: number, state: SessionState['state'] = 'playing') =>
      replay.setState({ session: { ...SESSION, state, visible_until: timestampText(START_MICROS + second * 1e6) } })
    return { ...opened, asked, tick, explorer }
  }

  it('rows go on at once where the clock stands still, with the same question', async () => {
    const { explorer, asked, tick, settled } = await openReplay()
    const { question } = runOf(explorer)
    const before = asked.length
    tick(5, 'paused')
    await until(() => asked.length === before + 1, 900)
    await settled()
    expect(asked.at(-1)!.session).toBe(SESSION.session)
    expect(runOf(explorer)).toMatchObject({ question, isByClock: true })
  })

  it('rows go on once a second at the most while it plays, and end where it ends', { timeout: 20_000 }, async () => {
    const { asked, tick } = await openReplay()
    const before = asked.length
    const started = performance.now()
    let second = 0
    while (performance.now() - started < 3_200) {
      tick(++second)
      await new Promise(resolve => setTimeout(resolve, 50))
    }
    const times = asked.slice(before).map(({ atMs }) => atMs)
    expect(times.length).toBeGreaterThanOrEqual(2)
    for (const [at, time] of times.slice(1).entries()) expect(time - times[at]).toBeGreaterThan(900)
    const playing = asked.length
    tick(second + 1, 'paused')
    await until(() => asked.length > playing, 900)
  })

  it('a statement of SQL is run by people only', async () => {
    const { explorer, asked, tick } = await openReplay()
    explorer.show('sql')
    const before = asked.length
    tick(9, 'paused')
    await new Promise(resolve => setTimeout(resolve, 300))
    expect(asked.length).toBe(before)
  })
})
