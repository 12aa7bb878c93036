// The committed sample, read as a person would: lines into fields, nothing of the program that made it.
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { gunzipSync } from 'node:zlib'

const folder = resolve(import.meta.dirname, '../../../../resources/sample')

export function sampleNames(): string[] {
  return readdirSync(folder).filter(name => name.includes('.csv'))
}

export function sampleBytes(name: string): Buffer {
  return readFileSync(join(folder, name))
}

export function sampleText(name: string): string {
  const bytes = sampleBytes(name)
  return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('latin1')
}

export interface Trade {
  day: string
  ms: number
  price: number
  shares: number
  qualifier: string
  venue: string
  buyer: string
  line: string
}

export interface Quote {
  day: string
  ms: number
  bid: number
  ask: number
  bidShares: number
  askShares: number
}

/** Of an asx-raw file. */
export function rawTrades(companyId: number): Trade[] {
  return rawLines(`${companyId}_trades.csv.gz`).map(line => {
    const [day, time, price, shares, qualifier, venue, buyer] = line.split(',')
    return { day, ms: msOf(time), price: cents(price), shares: Number(shares), qualifier, venue, buyer, line }
  })
}

export function rawQuotes(companyId: number): Quote[] {
  return rawLines(`${companyId}_quotes.csv.gz`).map(line => {
    const [day, time, bid, ask, bidShares, askShares] = line.split(',')
    return {
      day,
      ms: msOf(time),
      bid: cents(bid),
      ask: cents(ask),
      bidShares: Number(bidShares),
      askShares: Number(askShares),
    }
  })
}

function rawLines(name: string): string[] {
  return sampleText(name).trimEnd().split('\r\n')
}

export function msOf(time: string): number {
  const [, hours, minutes, seconds, millis] = (/^(\d\d):(\d\d):(\d\d)\.(\d{3})$/.exec(time) ?? []).map(Number)
  return ((hours * 60 + minutes) * 60 + seconds) * 1000 + millis
}

/** Thousandths of a cent would already be too fine for the sample: whole tenths of a cent. */
function cents(price: string): number {
  return Math.round(Number(price) * 1000) / 10
}
