// The sample as files: a pure function, so that what is in resources/sample can be made again and compared.
import { companyInfo, k2Quotes, k2Trades, rawQuotes, rawTrades } from './csv-text.ts'
import { SAMPLE_NAMES } from './names.ts'
import { tradeName } from './trade-name.ts'

export interface SampleFile {
  /** As in resources/sample, where names that end in .gz are compressed. */
  name: string
  text: string
  rows: number
}

const SEED = 2014

export function* sampleFiles(): Generator<SampleFile> {
  yield { name: 'company_info.csv', text: companyInfo(), rows: SAMPLE_NAMES.length }
  for (const name of SAMPLE_NAMES) {
    const { trades, quotes } = tradeName(name, SEED)
    const isRaw = name.form === 'asx-raw'
    yield {
      name: `${name.companyId}_trades.csv.gz`,
      text: isRaw ? rawTrades(trades) : k2Trades(name, trades),
      rows: trades.days.length,
    }
    yield {
      name: `${name.companyId}_quotes.csv.gz`,
      text: isRaw ? rawQuotes(quotes) : k2Quotes(name, quotes),
      rows: quotes.days.length,
    }
  }
}
