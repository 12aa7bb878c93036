// What is committed is what the generator makes, and its README says so.
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { sampleFiles } from '../../../../src/main/sources/sample/sample-files.ts'
import { sampleBytes, sampleNames, sampleText } from './files.ts'

const made = [...sampleFiles()]

describe('the committed sample', () => {
  it('is what the generator makes, byte for byte', () => {
    expect(made.map(({ name }) => name).sort()).toEqual(sampleNames().sort())
    for (const { name, text } of made) if (sampleText(name) !== text) expect.fail(`${name} is not what is made now`)
  })

  it('has the rows that are promised', () => {
    const rows = Object.fromEntries(made.map(({ name, rows }) => [name, rows]))
    expect(rows['7181_trades.csv.gz']).toBe(231)
    expect(rows['3153_trades.csv.gz']).toBe(10)
    for (const id of [7078, 7458]) {
      expect(rows[`${id}_trades.csv.gz`]).toBeGreaterThan(95_000)
      expect(rows[`${id}_trades.csv.gz`]).toBeLessThan(105_000)
    }
    const quotes = made.filter(({ name }) => name.includes('quotes')).reduce((sum, file) => sum + file.rows, 0)
    expect(quotes).toBeGreaterThan(160_000)
    expect(quotes).toBeLessThan(175_000)
  })

  it('counts a row for each line', () => {
    for (const { name, text, rows } of made) {
      const lines = text.split('\n').length - 1
      const hasHeader = name === 'company_info.csv' || name.startsWith('7181')
      expect([name, lines - Number(hasHeader)]).toEqual([name, rows])
    }
  })

  it('takes a few megabytes', () => {
    const bytes = sampleNames().reduce((sum, name) => sum + sampleBytes(name).length, 0)
    expect(bytes).toBeLessThan(4e6)
  })

  it('is listed in its README with counts and hashes, and called synthetic there', () => {
    const readme = readFileSync(resolve(import.meta.dirname, '../../../../resources/sample/README.md'), 'utf8')
    expect(readme).toMatch(/synthetic/i)
    for (const { name, rows } of made) {
      const hash = createHash('sha256').update(sampleBytes(name)).digest('hex')
      expect(readme).toContain(`| ${name} | ${rows} | ${sampleBytes(name).length} | \`${hash}\` |`)
    }
  })
})

describe('the reference file', () => {
  it('names companies by the ids that file names begin with', () => {
    const lines = sampleText('company_info.csv').trimEnd().split('\n')
    expect(lines[0]).toBe('company_id,symbol,company_name,ISIN,start_date,end_date')
    const ids = lines.slice(1).map(line => line.split(',')[0])
    const inNames = sampleNames().flatMap(name => /^\d+/.exec(name)?.[0] ?? [])
    expect(new Set(ids)).toEqual(new Set(inNames))
  })

  it('has ISINs whose check digit is right', () => {
    const isins = sampleText('company_info.csv').match(/AU\w{10}/g)!
    expect(isins).toHaveLength(4)
    for (const isin of isins) {
      const digits = [...isin].map(letter => parseInt(letter, 36)).join('')
      const sum = [...digits].reverse().reduce((total, digit, i) => {
        const doubled = Number(digit) * (i % 2 === 0 ? 1 : 2)
        return total + Math.floor(doubled / 10) + (doubled % 10)
      }, 0)
      expect([isin, sum % 10]).toEqual([isin, 0])
    }
  })
})
