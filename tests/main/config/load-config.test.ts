// Where settings come from, and what a start is refused for.
import { writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Failure } from '../../../src/contract/failure.ts'
import { SWITCHES } from '../../../src/main/config/settings.ts'
import { makeTempFolder } from '../../support/temp-folder.ts'
import { loadSaid, refusal } from './load.ts'

describe('the order of sources', () => {
  const file = { K2_API_PORT: 8001 }
  const env = { K2_API_PORT: '8002' }
  const flags = { port: '8003' }

  it.each([
    ['the default when nobody says anything', {}, 8000, 'default'],
    ['the file before the default', { file }, 8001, 'file'],
    ['the environment before the file', { file, env }, 8002, 'environment'],
    ['a flag before the environment', { file, env, flags }, 8003, 'flag'],
  ] as const)('takes %s', (_, said, port, source) => {
    const config = loadSaid(said)
    expect(config.api.port).toBe(port)
    expect(config.sources.K2_API_PORT).toEqual({ source, text: String(port) })
  })

  it('goes back to the default for an empty text, past the sources below it', () => {
    const config = loadSaid({ file: { K2_KAFKA_BROKERS: 'kafka:9092' }, env: { K2_KAFKA_BROKERS: '' } })
    expect(config.kafka.brokers).toEqual([])
    expect(config.sources.K2_KAFKA_BROKERS.source).toBe('default')
  })

  it('reads the file of the profile that a flag names, before the one in the environment', () => {
    const folder = makeTempFolder()
    writeFileSync(join(folder, 'k2.config.json'), '{"K2_ENVIRONMENT": "desk"}')
    const config = loadSaid({ flags: { profile: folder } })
    expect(config).toMatchObject({ profile: folder, environment: 'desk' })
  })

  it('passes over options of commands that are no settings', () => {
    expect(loadSaid({ flags: { demo: true, ui: false, verbose: true, port: 9000 } }).api.port).toBe(9000)
  })

  it('passes over the variables of tests and tools', () => {
    const env = Object.fromEntries(SWITCHES.map(name => [name, '1']))
    expect(loadSaid({ env }).environment).toBe('dev')
  })
})

describe('relative paths', () => {
  it('count from the working folder, in the file from the profile, and ~ is the home folder', () => {
    expect(loadSaid({ env: { K2_WAREHOUSE: 'lake' } }).lake.warehouse).toEqual({
      kind: 'folder',
      path: resolve('lake'),
    })
    expect(loadSaid({ env: { K2_WAREHOUSE: '~/lake' } }).lake.warehouse).toEqual({
      kind: 'folder',
      path: join(homedir(), 'lake'),
    })
    const { lake, profile } = loadSaid({ file: { K2_WAREHOUSE: 'lake' } })
    expect(lake.warehouse).toEqual({ kind: 'folder', path: join(profile, 'lake') })
  })
})

describe('a start is refused', () => {
  it('for a bad value, with its name, the value, where it was said and what is allowed', () => {
    expect(refusal({ env: { K2_API_PORT: '80000' } })).toEqual([
      'K2_API_PORT is "80000" (environment); allowed: a whole number from 0 to 65535.',
    ])
    expect(refusal({ flags: { port: 'http' } })).toEqual([
      'K2_API_PORT is "http" (--port); allowed: a whole number from 0 to 65535.',
    ])
    expect(refusal({ file: { K2_WRITER: true } })).toEqual([
      'K2_WRITER is "true" (k2.config.json); allowed: auto, on or off.',
    ])
  })

  it('for an unknown variable or key, with the name that was probably meant', () => {
    expect(refusal({ env: { K2_API_PROT: '1' }, file: { K2_LOG_LEVLE: 'info', port: 8001 } })).toEqual([
      'K2_API_PROT is not a setting of K2 (environment); did you mean K2_API_PORT?',
      'K2_LOG_LEVLE is not a setting of K2 (k2.config.json); did you mean K2_LOG_LEVEL?',
      'port is not a setting of K2 (k2.config.json); `k2 config` lists them all.',
    ])
  })

  it('for all its mistakes at once, one line each, as data too', () => {
    const env = { K2_TAIL_MINUTES: '-1', K2_CATALOG: 'mysql', K2_KAFKA_BROKERS: 'kafka' }
    const error = (() => {
      try {
        return loadSaid({ env })
      } catch (thrown) {
        return thrown
      }
    })()
    expect(error).toBeInstanceOf(Failure)
    expect(error).toMatchObject({ code: 'INVALID_INPUT' })
    const { message, details } = error as Failure
    expect(message.split('\n')).toHaveLength(3)
    expect((details as { field: string }[]).map(({ field }) => field).sort()).toEqual(Object.keys(env).sort())
  })

  it('without telling a secret, nor a password inside an address', () => {
    const lines = refusal({
      env: { K2_API_KEY: 'two words', K2_S3_ENDPOINT: 'ftp://me:hush@store/', K2_CATALOG: 'ftp://c/?token=hush' },
    })
    expect(lines[0]).toBe(
      'K2_CATALOG is "ftp://c/?token=****" (environment); allowed: sqlite, or an Iceberg REST catalog\'s http(s) address.',
    )
    expect(lines[1]).toMatch(/^K2_S3_ENDPOINT is "ftp:\/\/me:\*{4}@store\/" /)
    expect(lines[2]).toMatch(/^K2_API_KEY is "\*{4}" /)
    expect(lines.join()).not.toMatch(/hush|two words/)
  })

  it('for a file that is not JSON, without quoting it', () => {
    const [line, ...more] = refusal({ file: '{\n  "K2_API_KEY": "hush",\n  K2_API_PORT: 1\n}' })
    expect(line).toMatch(/^k2\.config\.json is not valid JSON( near line 3)?: .*k2\.config\.json\.$/)
    expect(line).not.toContain('hush')
    expect(more).toEqual([])
  })

  it.each([
    ['a list', '[1]', /^k2\.config\.json has to be an object such as /],
    ['a null', '{"K2_API_PORT": null}', /^K2_API_PORT is null \(k2\.config\.json\); leave it out/],
    ['the profile, in which it lies', '{"K2_PROFILE": "/x"}', /^K2_PROFILE cannot be set in k2\.config\.json/],
  ])('for a file that holds %s', (_, file, line) => {
    expect(refusal({ file })).toEqual([expect.stringMatching(line)])
  })

  it('for a file that is there but cannot be read', () => {
    const readFile = () => {
      throw Object.assign(new Error('no'), { code: 'EACCES' })
    }
    expect(refusal({ readFile })).toEqual([
      expect.stringMatching(/^k2\.config\.json cannot be read at .* \(EACCES\)\.$/),
    ])
  })
})

describe('the file', () => {
  it('takes numbers, booleans, lists and objects for what they would be as text', () => {
    const config = loadSaid({
      file: {
        K2_TAIL_MINUTES: 2.5,
        K2_KAFKA_SSL: true,
        K2_TOPICS: ['a.b', 'c.d'],
        K2_SYMBOL_TIERS: [['BHP', 'RIO'], ['CBA']],
      },
    })
    expect(config.tail.minutes).toBe(2.5)
    expect(config.kafka.ssl).toBe(true)
    expect(config.kafka.topics).toEqual(['a.b', 'c.d'])
    expect(config.ingest.symbolTiers).toEqual({ by: 'list', tiers: [['BHP', 'RIO'], ['CBA']] })
  })

  it('may begin with a byte order mark', () => {
    expect(loadSaid({ file: '\uFEFF{"K2_API_PORT": 1234}' }).api.port).toBe(1234)
  })
})
