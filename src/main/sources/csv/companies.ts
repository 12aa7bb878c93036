// Which symbol a company's file is about: the reference file by company, and the company by the file's name.
//   company_id,symbol,company_name,ISIN,start_date,end_date
import { basename } from 'node:path'
import { Failure } from '../../../contract/failure.ts'
import { BadValue } from '../../base/values/bad-value.ts'
import { placesOf } from './k2-form.ts'
import { parseDate } from '../../base/values/parse-date.ts'
import { readChunks } from '../read-bytes.ts'
import { createRecordScanner } from './scan-records.ts'

const DAY = 86_400e6
/** A whole market's reference file is under 10 MB; one that is not is something else. */
const MOST_COMPANIES = 1_000_000

/** The company a file is about, and what it was called when. */
export interface Company {
  companyId: string
  /** On a day, given as its midnight in microseconds. */
  symbolOn: (dayMicros: number) => string
}

interface Listing {
  symbol: string
  /** Days since 1970, both included. */
  from: number
  to: number
}
export type Companies = ReadonlyMap<string, readonly Listing[]>

export async function readCompanies(path: string, signal: AbortSignal): Promise<Companies> {
  const companies = new Map<string, Listing[]>()
  let places: Map<string, number> | undefined
  const scanner = createRecordScanner()
  const { record } = scanner
  const wrong = (why: string) => new Failure('INVALID_INPUT', `${path}, line ${record.line}: ${why}.`)

  function takeRecords() {
    while (scanner.next()) {
      if (record.problem) throw wrong(`the line ${record.problem}`)
      const { bytes, starts, ends } = record
      const texts = Array.from({ length: record.fieldCount }, (_, i) => bytes.toString('utf8', starts[i], ends[i]))
      if (!places) {
        if (texts[0].startsWith(BOM)) texts[0] = texts[0].slice(1)
        places = placesOf(texts)
        const missing = ['company_id', 'symbol'].filter(name => !places!.has(name))
        if (missing.length > 0)
          throw wrong(`a reference file has columns company_id and symbol, not ${texts.join(', ')}`)
        continue
      }
      const textOf = (name: string) => texts[places!.get(name) ?? -1] ?? ''
      const [companyId, symbol] = [textOf('company_id'), textOf('symbol')]
      if (companyId === '' || symbol === '') throw wrong('company_id or symbol is missing')
      if (companies.size >= MOST_COMPANIES) throw wrong(`more than ${MOST_COMPANIES} companies`)
      try {
        const from = dateOr(textOf('start_date'), -Infinity)
        const to = dateOr(textOf('end_date'), Infinity)
        companies.set(companyId, [...(companies.get(companyId) ?? []), { symbol, from, to }])
      } catch (error) {
        if (error instanceof BadValue) throw wrong(`a date ${error.message}`)
        throw error
      }
    }
  }
  for await (const { bytes } of readChunks(path, signal)) {
    scanner.feed(bytes)
    takeRecords()
  }
  scanner.end()
  takeRecords()
  return companies
}

const BOM = '\uFEFF'
const dateOr = (text: string, open: number) => (text === '' ? open : parseDate(text))

/** By the leading digits of the file's name: 7078.csv, 7078_trades.csv. */
export function companyOfFile(path: string, companies: Companies | undefined): Company {
  const name = basename(path)
  const companyId = /^\d+/.exec(name)?.[0]
  if (companyId === undefined) {
    const message = `${name} does not begin with a company's number, as 7078_trades.csv does, so its symbol is not known.`
    throw new Failure('INVALID_INPUT', message)
  }
  if (!companies) {
    const message = `An asx-raw file has no symbol: say with --reference which file names company ${companyId}.`
    throw new Failure('INVALID_INPUT', message)
  }
  const listings = companies.get(companyId)
  if (!listings) throw new Failure('INVALID_INPUT', `The reference file has no company ${companyId}.`)
  let current = listings[0]
  return {
    companyId,
    symbolOn(dayMicros) {
      // One name is the name, also beyond its dates: they say when it was listed, not what it was called.
      if (listings.length === 1) return current.symbol
      const day = dayMicros / DAY
      if (day < current.from || day > current.to) {
        const listed = listings.find(({ from, to }) => day >= from && day <= to)
        if (!listed) throw new BadValue(`the reference file has no symbol of company ${companyId} for that day`)
        current = listed
      }
      return current.symbol
    },
  }
}
