// Rules between settings, and the warnings.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { catalogFile } from '../../../src/main/config/describe-config.ts'
import { makeTempFolder } from '../../support/temp-folder.ts'
import { loadSaid, refusal } from './load.ts'

describe('settings that need one another', () => {
  it.each([
    ['K2_KAFKA_SASL_MECHANISM', 'PLAIN', 'K2_KAFKA_SASL_USERNAME and K2_KAFKA_SASL_PASSWORD are not'],
    ['K2_KAFKA_SASL_PASSWORD', 'hush', 'K2_KAFKA_SASL_MECHANISM is not'],
    ['K2_S3_ACCESS_KEY', 'hush', 'K2_S3_SECRET_KEY is not'],
    ['K2_S3_SESSION_TOKEN', 'hush', 'K2_S3_ACCESS_KEY is not'],
  ])('refuse %s alone', (name, value, missing) => {
    expect(refusal({ env: { [name]: value } })).toEqual([`${name} is set but ${missing}; set both or none.`])
  })

  it('refuse a client certificate without its key', () => {
    const file = join(makeTempFolder(), 'cert.pem')
    writeFileSync(file, 'a certificate')
    expect(refusal({ env: { K2_CLIENT_CERT_FILE: file } })).toEqual([
      'K2_CLIENT_CERT_FILE is set but K2_CLIENT_KEY_FILE is not; set both or none.',
    ])
  })
})

describe('topics', () => {
  it('are named or matched, not both', () => {
    expect(refusal({ env: { K2_TOPICS: 'a', K2_TOPIC_PATTERN: 'market\\..*' } })).toEqual([
      'K2_TOPICS and K2_TOPIC_PATTERN are both set; keep one of them.',
    ])
  })

  it('have no default beside a pattern', () => {
    const { kafka } = loadSaid({ env: { K2_TOPIC_PATTERN: 'market\\..*' } })
    expect(kafka).toMatchObject({ topics: [], topicPattern: 'market\\..*' })
  })
})

describe('the well-known key', () => {
  it.each(['localhost', '127.0.0.1', '127.1.2.3', '::1', '[::1]'])('is accepted on %s', host => {
    expect(loadSaid({ flags: { host } }).warnings).toEqual([])
  })

  it.each(['0.0.0.0', '::', '192.168.1.5', 'desk.example', '127.0.0.1.evil.example'])('is refused on %s', host => {
    expect(refusal({ env: { K2_API_HOST: host } })).toEqual([
      `K2_API_KEY is the well-known one, which is accepted on loopback only, but K2_API_HOST is ${host}; set a key of your own.`,
    ])
  })

  it('is refused also when it was typed', () => {
    expect(refusal({ env: { K2_API_HOST: '0.0.0.0', K2_API_KEY: 'k2-dev-api-key-2026' } })).toHaveLength(1)
  })
})

describe('certificate files', () => {
  it('have to be there and readable', () => {
    const folder = makeTempFolder()
    mkdirSync(join(folder, 'ca'))
    expect(refusal({ env: { K2_CA_FILE: join(folder, 'none.pem') } })).toEqual([
      `K2_CA_FILE is ${join(folder, 'none.pem')}, which cannot be read (ENOENT).`,
    ])
    expect(refusal({ env: { K2_CA_FILE: join(folder, 'ca') } })).toEqual([
      `K2_CA_FILE is ${join(folder, 'ca')}, which cannot be read (EISDIR).`,
    ])
  })
})

describe('warnings', () => {
  it('tell of a catalog that only this machine finds, kept in the profile', () => {
    const config = loadSaid({ env: { K2_WAREHOUSE: 's3://lake/k2' } })
    expect(config.warnings).toEqual([expect.stringContaining('Name an Iceberg REST catalog')])
    expect(catalogFile(config)).toBe(join(config.profile, 'catalog.db'))
  })

  it('tell of an address that others reach and names that they do not have', () => {
    const env = { K2_API_HOST: '0.0.0.0', K2_API_KEY: 'a-key-of-my-own' }
    expect(loadSaid({ env }).warnings).toEqual([expect.stringContaining('K2_API_ALLOWED_HOSTS')])
    expect(loadSaid({ env: { ...env, K2_API_ALLOWED_HOSTS: 'desk.example' } }).warnings).toEqual([])
  })

  it('are silent about the catalog beside a local warehouse, or of a REST server', () => {
    const local = loadSaid({ env: { K2_WAREHOUSE: '/data/lake' } })
    expect([local.warnings, catalogFile(local)]).toEqual([[], '/data/lake/catalog.db'])
    const rest = loadSaid({ env: { K2_WAREHOUSE: 's3://lake', K2_CATALOG: 'http://127.0.0.1:8181' } })
    expect([rest.warnings, catalogFile(rest)]).toEqual([[], undefined])
  })
})
