import { readFileSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { openCsv } from '../../../../src/main/sources/csv/csv-source.ts'
import { readChunks } from '../../../../src/main/sources/read-bytes.ts'
import { LOADED_AT, readCsv, writeFile, zstd } from '../../../support/csv-files.ts'

const HEADER = 'symbol,exchange_timestamp,price,quantity\n'
const many = HEADER + Array.from({ length: 70_000 }, (_, i) => `BHP,${1394398867532 + i},${i}.5,1\n`).join('')
const options = { exchange: 'ASX', format: 'auto', loadedAtMicros: LOADED_AT } as const
const { signal } = new AbortController()
/** `zstd -19` of "symbol,exchange_timestamp,price,quantity\n" and "BHP,1394398867532,36.5,1\n" a hundred times. */
const FROM_ZSTD =
  'KLUv/QRoVQIAFARzeW1ib2wsZXhjaGFuZ2VfdGltZXN0YW1wLHByaWNlLHF1YW50aXR5CkJIUCwxMzk0Mzk4ODY3NTMyLDM2LjUsMQEAQWrYn1F8IFrb'

async function hashOf(name: string, content: string | Uint8Array, more = {}) {
  return (await openCsv(writeFile(name, content), { ...options, ...more }, signal)).contentHash(signal)
}

describe('a file', () => {
  it.each(['a.csv', 'a.csv.gz', 'a.csv.zst'])('named %s is read to its last row', async name => {
    const { rows, bad, batches } = await readCsv(name, many, { exchange: 'ASX' })
    expect({ rows: rows.length, bad, batches }).toEqual({ rows: 70_000, bad: [], batches: 1 })
    expect(rows[69_999]).toMatchObject({ price: '69999.5', trade_id: '70000' })
  })

  it('of many rows is read in batches of 262,144 rows', async () => {
    const content = HEADER + 'BHP,1394398867532,1,1\n'.repeat(270_000)
    const source = await openCsv(writeFile('a.csv', content), options, signal)
    const counts: number[] = []
    for await (const { batch } of source.read(signal)) if (batch) counts.push(batch.rowCount)
    expect(counts).toEqual([262_144, 270_000 - 262_144])
  })

  it('that is small for its rows is read in smaller batches', async () => {
    const packed = gzipSync(HEADER + 'BHP,1394398867532,1,1\n'.repeat(10_000))
    const { rows, batches } = await readCsv('a.csv', packed, { exchange: 'ASX' })
    expect({ rows: rows.length, batches }).toEqual({ rows: 10_000, batches: 3 })
  })

  it('is told by its content, not by its name', async () => {
    for (const packed of [gzipSync(many), zstd(Buffer.from(many))]) {
      expect((await readCsv('a.csv', packed, { exchange: 'ASX' })).rows).toHaveLength(70_000)
    }
  })

  it('of several gzip members is read to its end', async () => {
    const packed = Buffer.concat([gzipSync(HEADER + 'A,1394398867532,1,1\n'), gzipSync('B,1394398867532,1,1\n')])
    expect((await readCsv('a.csv', packed, { exchange: 'ASX' })).rows.map(({ symbol }) => symbol)).toEqual(['A', 'B'])
  })

  it('may begin with a byte order mark and lack the last newline', async () => {
    const { rows } = await readCsv('a.csv', `\uFEFF${HEADER}A,1394398867532,1,1`, { exchange: 'ASX' })
    expect(rows).toHaveLength(1)
  })

  it('that was cut off is a failure that names it, whatever was read before', async () => {
    for (const packed of [gzipSync(many), zstd(Buffer.from(many))]) {
      const cut = packed.subarray(0, packed.length - 20)
      await expect(readCsv('cut.csv', cut, { exchange: 'ASX' })).rejects.toMatchObject({
        code: 'CORRUPT',
        message: expect.stringMatching(/cut\.csv .*get it anew/) as string,
      })
    }
  })

  it('whose bits flipped is found out by gzip', async () => {
    const packed = gzipSync(many)
    packed[packed.length >> 1] ^= 0x10
    await expect(readCsv('a.csv', packed, { exchange: 'ASX' })).rejects.toMatchObject({ code: 'CORRUPT' })
  })

  it.each([
    ['', 'is empty'],
    ['\r\n\r\n', 'is empty'],
    [Buffer.from('\uFEFFsymbol,price', 'utf16le'), 'is UTF-16'],
    ['PAR1....', 'is a Parquet file'],
    ['ARROW1\0\0', 'is an Arrow file'],
    ['hello world\n', 'neither a header of the k2 form nor a line of asx-raw'],
    ['"a"b\n', 'is not CSV'],
    ['03/10/2014,10:00:00,1,2\n', 'has 4 fields in its first line'],
  ])('of %j is refused for what it is', async (content, why) => {
    await expect(readCsv('a.csv', content, { exchange: 'ASX' })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining(why) as string,
    })
  })

  it('that changes while it is read is a failure at the end', async () => {
    const path = writeFile('a.csv', many)
    const source = await openCsv(path, options, signal)
    await source.contentHash(signal)
    writeFileSync(path, many + 'BHP,1394398867532,1,1\n')
    const read = async () => {
      for await (const { bytesRead } of source.read(signal)) expect(bytesRead).toBeGreaterThan(0)
    }
    await expect(read()).rejects.toMatchObject({ code: 'CONFLICT' })
  })

  it('stops being read when it is cancelled', async () => {
    const abort = new AbortController()
    const source = await openCsv(writeFile('a.csv', many), options, signal)
    let steps = 0
    const read = async () => {
      for await (const { bytesRead } of source.read(abort.signal)) {
        steps += bytesRead > 0 ? 1 : 0
        abort.abort()
      }
    }
    await expect(read()).rejects.toThrow('aborted')
    expect(steps).toBeLessThan(4)
  })
})

describe('the hash of a file', () => {
  it('is that of its content, however it is packed and called', async () => {
    const hashes = await Promise.all(['a.csv', 'b.csv.gz', 'c.csv.zst'].map(name => hashOf(name, many)))
    expect(new Set(hashes).size).toBe(1)
    expect(await hashOf('a.csv', many + '\n')).not.toBe(hashes[0])
  })

  it('differs for two companies whose files are the same to the letter', async () => {
    const companies = new Map(['1', '2'].map(id => [id, [{ symbol: `S${id}`, from: -Infinity, to: Infinity }]]))
    const content = '03/10/2014,10:00:00,1,2,,A,\r\n'
    expect(await hashOf('1.csv', content, { companies })).not.toBe(await hashOf('2.csv', content, { companies }))
  })
})

it('unpacks what the zstd tool compressed', async () => {
  const path = writeFile('a.csv', Buffer.from(FROM_ZSTD, 'base64'))
  expect(readFileSync(path).length).toBeLessThan(100)
  const parts: Buffer[] = []
  for await (const { bytes } of readChunks(path, signal)) parts.push(bytes)
  expect(Buffer.concat(parts).toString()).toBe(HEADER + 'BHP,1394398867532,36.5,1\n'.repeat(100))
})

it('gives no other text for what the zstd tool compressed, whichever bit of it is flipped', async () => {
  const packed = Buffer.from(FROM_ZSTD, 'base64')
  const whole = HEADER + 'BHP,1394398867532,36.5,1\n'.repeat(100)
  const outcomes = new Map<string, number>()
  // Without the first four bytes it is no zstd.
  for (let bit = 32; bit < packed.length * 8; bit++) {
    const flipped = Buffer.from(packed)
    flipped[bit >> 3] ^= 1 << (bit & 7)
    const parts: Buffer[] = []
    const outcome = await (async () => {
      for await (const { bytes } of readChunks(writeFile('a.csv', flipped), signal)) parts.push(bytes)
      return Buffer.concat(parts).toString() === whole ? 'the same' : `another, by bit ${bit}`
    })().catch((error: unknown) => (error as { code?: string }).code ?? String(error))
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  }
  expect([...outcomes.keys()].filter(outcome => outcome !== 'CORRUPT' && outcome !== 'the same')).toEqual([])
  expect(outcomes.get('CORRUPT')).toBeGreaterThan(packed.length * 6)
})

it('names the file that is not there', async () => {
  await expect(openCsv('/no/such/file.csv', options, signal)).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: 'There is no file /no/such/file.csv.',
  })
})
