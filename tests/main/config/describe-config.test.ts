// What `k2 config` shows, and that the page about configuration says what the table says.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { system } from '../../../src/contract/system.ts'
import { describeConfig } from '../../../src/main/config/describe-config.ts'
import type { Setting } from '../../../src/main/config/setting.ts'
import { listSettings } from '../../../src/main/config/settings.ts'
import { loadSaid } from './load.ts'

describe('the rows', () => {
  it('are one a setting, as the contract has them, with the value in force and its source', () => {
    const config = loadSaid({ env: { K2_TAIL_MINUTES: '7' }, flags: { warehouse: '/data/lake' } })
    const rows = describeConfig(config)
    expect(system['config.get'].output.parse(rows)).toEqual(rows)
    expect(rows.map(({ name }) => name)).toEqual(listSettings().map(({ name }) => name))
    const row = (wanted: string) => rows.find(({ name }) => name === wanted)
    expect(row('K2_TAIL_MINUTES')).toMatchObject({ value: '7', source: 'environment' })
    expect(row('K2_WAREHOUSE')).toMatchObject({ value: '/data/lake', source: 'flag' })
    expect(row('K2_PROFILE')).toMatchObject({ value: config.profile, source: 'environment' })
    expect(row('K2_API_PORT')).toMatchObject({ value: '8000', source: 'default' })
  })

  it('tell no secret, whatever it is set to, nor one inside an address', () => {
    const env: Record<string, string> = {
      K2_KAFKA_SASL_MECHANISM: 'PLAIN',
      K2_KAFKA_SASL_USERNAME: 'me',
      K2_S3_ENDPOINT: 'https://me:hush@store.example/?session_token=hush&region=x',
    }
    for (const { name, secret } of listSettings()) if (secret) env[name] = 'hush'
    const rows = describeConfig(loadSaid({ env }))
    expect(JSON.stringify(rows)).not.toContain('hush')
    const value = (wanted: string) => rows.find(({ name }) => name === wanted)?.value
    expect(value('K2_API_KEY')).toBe('****')
    expect(value('K2_S3_ENDPOINT')).toBe('https://me:****@store.example/?session_token=****&region=x')
    expect(value('K2_KAFKA_SASL_USERNAME')).toBe('me')
  })

  it('show the well-known key as a secret too, and nothing for a secret that is not set', () => {
    const rows = describeConfig(loadSaid())
    expect(rows.find(({ name }) => name === 'K2_API_KEY')?.value).toBe('****')
    expect(rows.find(({ name }) => name === 'K2_CATALOG_TOKEN')?.value).toBe('')
  })
})

describe('docs/configuration.md', () => {
  const path = join(import.meta.dirname, '../../../docs/configuration.md')
  const cell = (text: string) => text.replaceAll('|', '\\|')
  const row = ({ name, kind, fallback, shown, about, flag, secret }: Setting) => {
    const typed = typeof fallback === 'string' && fallback !== '' ? `\`${fallback}\`` : '–'
    const notes = [cell(about), flag && `flag \`--${flag}\``, secret && 'secret'].filter(Boolean).join('; ')
    return `| \`${name}\` | ${shown ?? typed} | ${cell(kind.description ?? '')} | ${notes} |\n`
  }
  const table = () => '| variable | default | allowed | |\n|---|---|---|---|\n' + listSettings().map(row).join('')

  it('has a row for every setting, equal to the table', () => {
    const page = readFileSync(path, 'utf8')
    const current = page.replace(/\| variable [\s\S]*?\n(?=\n)/, table)
    if (process.env.K2_UPDATE) writeFileSync(path, current)
    else expect(page, 'run again with K2_UPDATE=1 and look at the difference').toBe(current)
  })
})

it('there is a setting for every variable of the product', () => {
  const promised = `ENVIRONMENT PROFILE WAREHOUSE CATALOG CATALOG_TOKEN CATALOG_CREDENTIAL CATALOG_WAREHOUSE
    S3_ENDPOINT S3_REGION S3_ACCESS_KEY S3_SECRET_KEY S3_SESSION_TOKEN S3_PATH_STYLE
    KAFKA_BROKERS KAFKA_SSL KAFKA_SASL_MECHANISM KAFKA_SASL_USERNAME KAFKA_SASL_PASSWORD
    CA_FILE CLIENT_CERT_FILE CLIENT_KEY_FILE TOPICS TOPIC_PATTERN SCHEMA_REGISTRY_URL SCHEMA_REGISTRY_AUTH WRITER
    TAIL_MINUTES TAIL_MAX_PER_SYMBOL TAIL_MAX_MB CONSUMER_BATCH_SIZE CONSUMER_BATCH_SECONDS CONSUMER_GROUP
    DEDUPE_MINUTES SYMBOL_TIERS API_HOST API_PORT API_ALLOWED_HOSTS API_CORS_ORIGINS API_KEY API_RATE_LIMIT
    QUERY_POOL_SIZE QUERY_TIMEOUT_MS QUERY_MEMORY SNAPSHOT_RETENTION BINANCE_SYMBOLS BINANCE_WEBSOCKET_URL
    LOG_LEVEL LOG_FORMAT`
  const names = listSettings().map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  expect(promised.split(/\s+/).filter(name => !names.includes(`K2_${name}`))).toEqual([])
})
