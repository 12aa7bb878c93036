// Whether the sample looks like a market to somebody who knows one.
import { describe, expect, it } from 'vitest'
import { msOf, rawQuotes, rawTrades, sampleText, type Quote, type Trade } from './files.ts'

const liquid = { BHP: 7078, RIO: 7458 } as const
const DAYS = ['03/10/2014', '03/11/2014', '03/12/2014', '03/13/2014', '03/14/2014']
const OPENS = { BHP: msOf('10:00:00.000'), RIO: msOf('10:06:45.000') }
const CLOSE = msOf('16:00:00.000')
const AUCTION = msOf('16:10:00.000')
const names = Object.keys(liquid) as (keyof typeof liquid)[]

const tradesOf = Object.fromEntries(names.map(name => [name, rawTrades(liquid[name])]))
const quotesOf = Object.fromEntries(names.map(name => [name, rawQuotes(liquid[name])]))
const isReported = ({ qualifier }: Trade) => qualifier !== ''
const onDay = <T extends { day: string }>(rows: readonly T[], day: string) => rows.filter(row => row.day === day)
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)

describe.each(names)('%s', name => {
  const trades = tradesOf[name]
  const quotes = quotesOf[name]
  const onBook = trades.filter(trade => !isReported(trade))

  it('arrives in order of time, on five days', () => {
    for (const rows of [trades, quotes]) {
      expect([...new Set(rows.map(({ day }) => day))]).toEqual(DAYS)
      for (let i = 1; i < rows.length; i++)
        if (rows[i].day === rows[i - 1].day && rows[i].ms < rows[i - 1].ms) expect.fail(`row ${i} is early`)
    }
  })

  it('trades on the book from its own opening to 16:00, then once after 16:10', () => {
    for (const day of DAYS) {
      const rows = onDay(onBook, day)
      expect(rows[0].ms).toBeGreaterThanOrEqual(OPENS[name])
      expect(rows[0].ms).toBeLessThan(OPENS[name] + 15_000)
      const late = rows.filter(({ ms }) => ms >= CLOSE)
      expect(new Set(late.map(({ ms, price }) => `${ms} ${price}`)).size).toBe(1)
      expect(late[0].ms).toBeGreaterThanOrEqual(AUCTION)
      expect(late[0].ms).toBeLessThan(AUCTION + 30_000)
      const share = sum(late.map(({ shares }) => shares)) / sum(rows.map(({ shares }) => shares))
      expect(share).toBeGreaterThan(0.03)
      expect(share).toBeLessThan(0.35)
    }
  })

  it('is busy at the ends of the day and quiet in the middle', () => {
    const byHour = (hour: number) =>
      sum(onBook.filter(({ ms }) => Math.floor(ms / 3_600_000) === hour).map(({ shares }) => shares))
    expect(byHour(10)).toBeGreaterThan(1.8 * byHour(12))
    expect(byHour(15)).toBeGreaterThan(1.8 * byHour(12))
  })

  it('keeps to ticks of a cent, or half of one between bid and ask', () => {
    for (const { price, venue, line } of onBook) if ((venue === 'P' ? price * 2 : price) % 1 !== 0) expect.fail(line)
    for (const { bid, ask } of quotes) if (bid % 1 !== 0 || ask % 1 !== 0) expect.fail(`${bid} × ${ask}`)
  })

  it('moves by a few percent a day at most, and overnight by less', () => {
    let last = onBook[0].price
    for (const day of DAYS) {
      const prices = onDay(onBook, day).map(({ price }) => price)
      expect(Math.max(...prices) / Math.min(...prices)).toBeLessThan(1.06)
      expect(Math.max(...prices) / Math.min(...prices)).toBeGreaterThan(1.005)
      expect(Math.abs(prices[0] / last - 1)).toBeLessThan(0.02)
      last = prices[prices.length - 1]
    }
  })

  it('never quotes crossed; one side is missing before the open only', () => {
    for (const { bid, ask, bidShares, askShares, ms } of quotes) {
      if ((bid === 0) !== (bidShares === 0) || (ask === 0) !== (askShares === 0)) expect.fail('a price without shares')
      if (bid === 0 && ask === 0) expect.fail('nothing quoted')
      if (bid === 0 || ask === 0) expect(ms).toBeLessThan(OPENS[name])
      else if (bid >= ask) expect.fail(`${bid} × ${ask}`)
    }
    expect(quotes.filter(({ ask }) => ask === 0).length).toBeGreaterThan(0)
    expect(quotes.filter(({ bid }) => bid === 0).length).toBeGreaterThan(0)
    const narrow = quotes.filter(({ bid, ask }) => ask - bid === 1).length
    expect(narrow / quotes.length).toBeGreaterThan(0.6)
  })

  it('trades at or between the bid and the ask of that moment', () => {
    let outside = 0
    let judged = 0
    forEachWithQuotes(trades, quotes, (trade, before, same) => {
      if (isReported(trade) || trade.ms >= AUCTION || !before || trade.ms < OPENS[name] + 15_000) return
      judged++
      if (![before, ...same].some(({ bid, ask }) => trade.price >= bid && trade.price <= ask)) outside++
    })
    expect(judged).toBeGreaterThan(90_000)
    // Auctions' prints only.
    expect(outside).toBeLessThan(400)
  })

  it('has bursts in one millisecond and rows that repeat to the letter', () => {
    const atOnce = countBy(trades, ({ day, ms }) => `${day} ${ms}`)
    const inSession = atOnce.filter(count => count >= 20)
    expect(inSession.length).toBeGreaterThan(50)
    const repeats = sum(countBy(trades, ({ line }) => line).map(count => count - 1))
    expect(repeats).toBeGreaterThan(1000)
    expect(repeats / trades.length).toBeLessThan(0.1)
  })

  it('reports what traded off the market with its qualifier and venue, before the open and after the close too', () => {
    const reported = trades.filter(isReported)
    expect(reported.length).toBeGreaterThan(50)
    for (const { venue, buyer, shares } of reported) expect([venue, buyer, shares % 1000]).toEqual(['X', '', 0])
    expect(new Set(reported.map(({ qualifier }) => qualifier))).toEqual(new Set(['3', '7', '11']))
    expect(reported.some(({ ms }) => ms < msOf('08:30:00.000'))).toBe(true)
    expect(reported.some(({ ms }) => ms > AUCTION)).toBe(true)
    // Averages, so between ticks.
    expect(reported.some(({ price }) => price % 1 !== 0)).toBe(true)
    expect(new Set(onBook.map(({ venue }) => venue))).toEqual(new Set(['A', 'P']))
  })
})

describe('a halt', () => {
  it('stops RIO for twenty minutes on the 12th, and it comes back lower', () => {
    const from = msOf('11:32:10.000')
    const until = msOf('11:52:10.000')
    const inHalt = ({ day, ms }: { day: string; ms: number }) => day === DAYS[2] && ms >= from && ms < until
    expect(quotesOf.RIO.filter(inHalt)).toEqual([])
    const onBook = tradesOf.RIO.filter(trade => !isReported(trade))
    expect(onBook.filter(inHalt)).toEqual([])
    const day = onDay(onBook, DAYS[2])
    const before = day.filter(({ ms }) => ms < from).at(-1)!.price
    const after = day.find(({ ms }) => ms >= until)!.price
    expect(after / before).toBeLessThan(0.985)
  })

  it('stops DVN for the rest of the 13th', () => {
    for (const file of ['7181_trades.csv.gz', '7181_quotes.csv.gz']) {
      const times = sampleText(file).match(/2014-03-13T\S{12}/g)!
      expect(times.length).toBeGreaterThan(10)
      expect(times.at(-1)! < '2014-03-13T10:41:05.000').toBe(true)
    }
  })
})

describe('thin names', () => {
  it('are quoted with one side empty now and then', () => {
    const oneSided = rawQuotes(3153).filter(({ bid, ask }) => bid === 0 || ask === 0)
    expect(oneSided.length).toBeGreaterThan(5)
    expect(sampleText('7181_quotes.csv.gz').match(/\+11:00,,/g)!.length).toBeGreaterThan(5)
  })

  it('skip days', () => {
    expect([...new Set(rawTrades(3153).map(({ day }) => day))]).toEqual(DAYS.filter(day => day !== DAYS[1]))
  })
})

describe('the k2 form', () => {
  it('has a header, times with their offset, and sequences without gaps', () => {
    const [header, ...lines] = sampleText('7181_trades.csv.gz').trimEnd().split('\n')
    expect(header.split(',').slice(0, 7)).toEqual([
      'symbol',
      'exchange_timestamp',
      'price',
      'quantity',
      'side',
      'sequence_number',
      'trade_id',
    ])
    lines.forEach((line, i) => {
      expect(line).toMatch(
        /^DVN,2014-03-1\dT1\d:\d\d:\d\d\.\d{3}\+11:00,0\.\d+,\d+,(BUY|SELL|UNKNOWN),\d+,\d+,7181,(3|7|11)?,[AX]$/,
      )
      expect(Number(line.split(',')[5])).toBe(i + 1)
    })
  })
})

function countBy<T>(rows: readonly T[], keyOf: (row: T) => string): number[] {
  const counts = new Map<string, number>()
  for (const row of rows) counts.set(keyOf(row), (counts.get(keyOf(row)) ?? 0) + 1)
  return [...counts.values()]
}

/** Each trade with the last quote from before its millisecond and those in it. */
function forEachWithQuotes(
  trades: readonly Trade[],
  quotes: readonly Quote[],
  visit: (trade: Trade, before: Quote | undefined, same: readonly Quote[]) => void,
): void {
  let next = 0
  const isBefore = (quote: Quote, { day, ms }: Trade) => quote.day < day || (quote.day === day && quote.ms < ms)
  for (const trade of trades) {
    while (next < quotes.length && isBefore(quotes[next], trade)) next++
    const same: Quote[] = []
    for (let i = next; i < quotes.length && quotes[i].day === trade.day && quotes[i].ms === trade.ms; i++)
      same.push(quotes[i])
    visit(trade, quotes[next - 1]?.day === trade.day ? quotes[next - 1] : undefined, same)
  }
}
