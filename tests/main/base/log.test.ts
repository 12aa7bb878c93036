// The log: its fields, its two forms, its file, what it never tells, and the lines about requests.
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, expectTypeOf, it, onTestFinished, vi } from 'vitest'
import { Failure } from '../../../src/contract/failure.ts'
import { createLog, logRequests, type Log, type LogOptions } from '../../../src/main/base/log.ts'
import { openLogFile } from '../../../src/main/base/log-file.ts'
import type { Observe } from '../../../src/main/wire/dispatch.ts'
import { makeTempFolder } from '../../support/temp-folder.ts'

function collectLog(options: Partial<LogOptions> & { isTTY?: boolean } = {}) {
  const written: string[] = []
  const { isTTY = false, ...rest } = options
  const destination = { write: (text: string) => written.push(text), isTTY }
  const log: Log = createLog({ level: 'debug', format: 'json', environment: 'test', destination, ...rest })
  onTestFinished(() => log.close())
  const text = () => written.join('')
  const lines = () => written.map(line => JSON.parse(line) as Record<string, unknown>)
  return { log, text, lines }
}

describe('a JSON line', () => {
  it('has the fields that scripts read', () => {
    const { log, lines } = collectLog()
    log.child({ component: 'tail' }).info('read', { correlation_id: 'c1', endpoint: 'trades.recent', duration_ms: 1.5 })
    expect(lines()).toEqual([
      {
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
        level: 'info',
        service: 'k2',
        environment: 'test',
        component: 'tail',
        correlation_id: 'c1',
        endpoint: 'trades.recent',
        duration_ms: 1.5,
        message: 'read',
      },
    ])
  })

  it('carries the fields of every log it descends from, each once', () => {
    const { log, text } = collectLog()
    log.child({ component: 'ingest', topic: 'a' }).child({ component: 'flush' }).warn('late')
    expect(text().match(/"component"/g)).toHaveLength(1)
    expect(JSON.parse(text())).toMatchObject({ component: 'flush', topic: 'a', level: 'warn' })
  })

  it('is not written below the level', () => {
    const { log, lines } = collectLog({ level: 'warn' })
    log.debug('no')
    log.child({ component: 'tail' }).info('no')
    log.error('yes')
    expect(lines().map(({ message }) => message)).toEqual(['yes'])
  })

  it('tells an error with its stack, code and cause', () => {
    const { log, lines } = collectLog()
    log.error('lost', { error: new Failure('UNAVAILABLE', 'Kafka is away.', { cause: new Error('ECONNREFUSED') }) })
    const { error } = lines()[0] as { error: Record<string, unknown> }
    expect(error).toMatchObject({ type: 'Failure', code: 'UNAVAILABLE', message: 'Kafka is away.' })
    expect(error.stack).toContain('log.test.ts')
    expect(error.cause).toMatchObject({ message: 'ECONNREFUSED' })
  })

  it('takes what JSON cannot: bigint, typed arrays, circles, long lists', () => {
    const { log, lines } = collectLog()
    const circle: Record<string, unknown> = { offset: 9_007_199_254_740_993n, prices: new Float64Array(3) }
    circle.self = circle
    log.info('odd', { circle, many: Array.from({ length: 60 }, (_, i) => i), when: new Date(0) })
    expect(lines()[0]).toMatchObject({
      circle: { offset: '9007199254740993', prices: 'Float64Array of 24 bytes' },
      when: '1970-01-01T00:00:00.000Z',
    })
    expect((lines()[0].many as unknown[]).at(-1)).toBe('… 10 more')
  })
})

describe('secrets', () => {
  it.each([
    'password',
    'api_key',
    'apiKey',
    'X-API-Key',
    'token',
    'Authorization',
    'cookie',
    'set-cookie',
    'K2_S3_SECRET_KEY',
  ])('are masked under %s, at any depth', name => {
    const { log, text, lines } = collectLog()
    log.info('asked', { [name]: 'hush', headers: { deep: [{ [name]: ['hush'] }] } })
    log.child({ [name]: 'hush' }).info('asked')
    expect(text()).not.toContain('hush')
    expect(lines()[0][name]).toBe('****')
  })

  it('are masked inside addresses, in fields, messages and errors', () => {
    const { log, text } = collectLog()
    log.warn('no answer from https://me:hush@registry:8081/subjects', {
      url: 'http://127.0.0.1:8000/?token=hush&x=1',
      error: new Error('GET https://hush@store/'),
    })
    expect(text()).not.toContain('hush')
    expect(text()).toContain('https://me:****@registry:8081/subjects')
    expect(text()).toContain('x=1')
  })

  it('leave keys of messages and columns alone', () => {
    const { log, lines } = collectLog()
    log.info('dead letter', { key: 'BHP', tokens: 3 })
    expect(lines()[0]).toMatchObject({ key: 'BHP', tokens: 3 })
  })
})

describe('on a terminal', () => {
  const pretty = /^\d\d:\d\d:\d\d\.\d{3} WARN {2}tail {5}late topic=a lag=\{"p":1\}\n$/

  it('is pretty by itself, and JSON when piped', () => {
    const terminal = collectLog({ format: 'auto', isTTY: true })
    terminal.log.info('ready')
    expect(() => JSON.parse(terminal.text()) as unknown).toThrow()
    const piped = collectLog({ format: 'auto' })
    piped.log.info('ready')
    expect(piped.lines()[0].message).toBe('ready')
  })

  it('shows time, level, component, message, then the rest', () => {
    const { log, text } = collectLog({ format: 'pretty' })
    log.child({ component: 'tail' }).warn('late', { topic: 'a', lag: { p: 1 } })
    expect(text()).toMatch(pretty)
  })

  it('shows the stack of an error below its line, and its cause', () => {
    const { log, text } = collectLog({ format: 'pretty' })
    log.error('lost', { error: new Error('outer', { cause: new Error('inner') }) })
    expect(text()).toMatch(/lost\n {2}Error: outer\n {6}at [\s\S]*\n {2}caused by:\n {2}Error: inner\n/)
  })

  it('is coloured there only, and not with NO_COLOR', () => {
    onTestFinished(() => void vi.unstubAllEnvs())
    const colours = (options: Parameters<typeof collectLog>[0]) => {
      const { log, text } = collectLog({ format: 'pretty', ...options })
      log.info('ready')
      return text().includes('\x1b[')
    }
    vi.stubEnv('NO_COLOR', '')
    expect([colours({ isTTY: true }), colours({ isTTY: false })]).toEqual([true, false])
    vi.stubEnv('NO_COLOR', '1')
    expect(colours({ isTTY: true })).toBe(false)
  })
})

describe('the file', () => {
  it('gets JSON, for its owner only, also when the terminal is pretty', () => {
    const folder = join(makeTempFolder(), 'logs')
    const { log, text } = collectLog({ folder, format: 'pretty' })
    log.info('ready')
    expect(text()).toContain('INFO')
    const path = join(folder, 'k2.log')
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ message: 'ready' })
    expect(statSync(path).mode & 0o777).toBe(0o600)
    log.close()
    log.info('after')
    expect(readFileSync(path, 'utf8')).not.toContain('after')
  })

  it('is set aside when it is full, the oldest going, and gone on with by the next process', () => {
    const folder = makeTempFolder()
    const limits = { maxBytes: 30, files: 3 }
    const open = () => openLogFile(folder, 'k2', why => expect.unreachable(why), limits)
    const file = open()
    for (let i = 0; i < 9; i++) file.write(`line ${i} of nine\n`)
    file.close()
    const next = open()
    next.write('the next process\n')
    next.close()
    const read = (name: string) => readFileSync(join(folder, name), 'utf8')
    expect(readdirSync(folder).sort()).toEqual(['k2.1.log', 'k2.2.log', 'k2.log'])
    expect(read('k2.log')).toBe('the next process\n')
    expect(read('k2.1.log')).toBe('line 8 of nine\n')
    expect(read('k2.2.log')).toBe('line 6 of nine\nline 7 of nine\n')
  })

  it('does not stop what logs when it cannot be written, says so once, and is tried again', () => {
    const place = makeTempFolder()
    const folder = join(place, 'logs')
    writeFileSync(folder, 'in the way')
    const told: string[] = []
    const file = openLogFile(folder, 'k2', why => told.push(why))
    file.write('one\n')
    file.write('two\n')
    expect(told).toEqual([expect.stringContaining(join(folder, 'k2.log'))])
    rmSync(folder)
    mkdirSync(folder)
    vi.useFakeTimers({ toFake: ['performance'], now: Date.now() })
    onTestFinished(() => void vi.useRealTimers())
    vi.advanceTimersByTime(120_000)
    file.write('three\n')
    file.close()
    expect(readFileSync(join(folder, 'k2.log'), 'utf8')).toBe('three\n')
  })
})

describe('requests', () => {
  const end = { name: 'trades.recent', context: { correlationId: 'c1', door: 'http' as const }, elapsedMs: 1.23456 }
  const bug = new TypeError('x is undefined')

  it.each([
    ['an answer at debug', {}, { level: 'debug', message: 'answered' }],
    ['a caller gone at debug', { failure: new Failure('CANCELLED', 'gone') }, { level: 'debug', message: 'cancelled' }],
    [
      'a refusal at info',
      { failure: new Failure('NOT_FOUND', 'none') },
      { level: 'info', message: 'none', code: 'NOT_FOUND' },
    ],
    ['what is away at warn', { failure: new Failure('UNAVAILABLE', 'away') }, { level: 'warn', code: 'UNAVAILABLE' }],
    [
      'a bug at error, with its stack',
      { failure: new Failure('INTERNAL', 'wrong', { cause: bug }), bug },
      { level: 'error', error: { type: 'TypeError', message: 'x is undefined', stack: bug.stack } },
    ],
  ])('are logged: %s', (_, how, line) => {
    const { log, lines } = collectLog()
    logRequests(log)({ ...end, ...how })
    expect(lines()[0]).toMatchObject({
      component: 'requests',
      correlation_id: 'c1',
      endpoint: 'trades.recent',
      duration_ms: 1.235,
      door: 'http',
      ...line,
    })
  })

  it('are told as the dispatcher tells them', () => {
    expectTypeOf<ReturnType<typeof logRequests>>().toExtend<Observe>()
  })
})
