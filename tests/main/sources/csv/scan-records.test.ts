import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRecordScanner, LONGEST_RECORD } from '../../../../src/main/sources/csv/scan-records.ts'

interface Scanned {
  fields: string[]
  line: number
  text: string
  problem?: string
}

/** Fed in pieces that end at the given places, or whole. */
function scan(content: string | Uint8Array, cuts: readonly number[] = []): Scanned[] {
  const bytes = Buffer.from(content)
  const places = [0, ...cuts.map(cut => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length]
  const scanner = createRecordScanner()
  const { record } = scanner
  const found: Scanned[] = []
  const take = () => {
    while (scanner.next()) {
      const fields = Array.from({ length: record.fieldCount }, (_, i) =>
        record.bytes.toString('utf8', record.starts[i], record.ends[i]),
      )
      const { line, problem } = record
      found.push({ fields, line, text: scanner.text(), ...(problem !== undefined && { problem }) })
    }
  }
  for (let i = 1; i < places.length; i++) {
    scanner.feed(Buffer.from(bytes.subarray(places[i - 1], places[i])))
    take()
  }
  scanner.end()
  take()
  return found
}

const fieldsOf = (content: string) => scan(content).map(({ fields }) => fields)
const problemsOf = (content: string) => scan(content).map(({ problem }) => problem)

describe('records', () => {
  it('end with LF, CRLF or the file', () => {
    expect(fieldsOf('a,b\nc,d\r\ne,f')).toEqual([
      ['a', 'b'],
      ['c', 'd'],
      ['e', 'f'],
    ])
  })

  it('keep empty fields, the last one too', () => {
    expect(fieldsOf(',a,,\r\n,')).toEqual([
      ['', 'a', '', ''],
      ['', ''],
    ])
  })

  it('are numbered by the line they begin in, blank lines and lines inside quotes counted', () => {
    expect(scan('a\n\n  \r\n"b\n\nc",d\ne').map(({ line, fields }) => [line, ...fields])).toEqual([
      [1, 'a'],
      [4, 'b\n\nc', 'd'],
      [7, 'e'],
    ])
  })

  it('may have commas, newlines and doubled quotes in quoted fields', () => {
    expect(fieldsOf('"a,b","say ""hi""",""\n"""",x')).toEqual([
      ['a,b', 'say "hi"', ''],
      ['"', 'x'],
    ])
  })

  it('lose the spaces around a field, not those inside quotes', () => {
    expect(fieldsOf(' a ,\tb b ," c " ,d\r\n')).toEqual([['a', 'b b', ' c ', 'd']])
  })

  it('are shown as they stand in the file, doubled quotes and all', () => {
    expect(scan('1,"a ""b"" c"\r\n')[0].text).toBe('1,"a ""b"" c"')
  })
})

describe('a malformed record', () => {
  it.each([
    ['a,b"c,d', 'has a quote inside a field that does not begin with one'],
    ['a,"b"c,d', 'goes on after the quote that ends a field'],
    ['a,"b', `has a quote that is not closed within ${LONGEST_RECORD} bytes`],
  ])('%s costs its own line only', (line, problem) => {
    const found = scan(`x,1\n${line}\ny,2\n`)
    expect(found.map(({ problem }) => problem)).toEqual([undefined, problem, undefined])
    expect(found[1]).toMatchObject({ text: line, line: 2, fields: [] })
    expect(found[2]).toMatchObject({ fields: ['y', '2'], line: 3 })
  })

  it('that never closes its quote is given up within bounds, and what follows is read', () => {
    const lines = Array.from({ length: 20_000 }, (_, i) => `row,${i}`)
    const found = scan(`"open\n${lines.join('\n')}\n`)
    expect(found).toHaveLength(20_001)
    expect(found[0]).toMatchObject({ text: '"open', line: 1 })
    expect(found[20_000]).toMatchObject({ fields: ['row', '19999'], line: 20_001 })
  })

  it('of unreasonable length is one bad row, cut short, and the next line is read', () => {
    const found = scan(`a,1\n${'x'.repeat(5 * LONGEST_RECORD)}\nb,2\n`, [70_000, 140_000, 210_000, 280_000])
    expect(found.map(({ problem }) => problem)).toEqual([
      undefined,
      `is longer than ${LONGEST_RECORD} bytes`,
      undefined,
    ])
    expect(found[1].text.length).toBeLessThanOrEqual(3 * LONGEST_RECORD)
    expect(found[2]).toMatchObject({ fields: ['b', '2'], line: 3 })
  })

  it('has more fields than any file has', () => {
    expect(problemsOf(','.repeat(2000) + '\na\n')).toEqual(['has more than 1024 fields', undefined])
  })

  it('costs no more time than its bytes, however its quotes are arranged', () => {
    const lines = ['a","b', '"a""', '"', 'x"y', '"a"b'].map(line => `${line}\n`.repeat(100_000))
    const started = performance.now()
    for (const content of lines) scan(content)
    expect(performance.now() - started).toBeLessThan(5_000)
  })
})

const cell = fc.string({ unit: fc.constantFrom('a', 'ö', '€', ',', '"', '\n', '\r', ' ', '7', '\0'), maxLength: 8 })
const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`

it('reads back what was written, wherever the bytes are cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(cell, { minLength: 2, maxLength: 5 }), { maxLength: 8 }),
      fc.array(fc.nat(200), { maxLength: 6 }),
      fc.constantFrom('\n', '\r\n'),
      fc.boolean(),
      (rows, cuts, newline, endsWithNewline) => {
        const content = rows.map(row => row.map(quoted).join(',')).join(newline) + (endsWithNewline ? newline : '')
        expect(scan(content, cuts).map(({ fields }) => fields)).toEqual(rows)
      },
    ),
  )
})

it('finds the same in any bytes at all, however they are cut, and every line once', () => {
  const bytes = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' '), maxLength: 60 })
  fc.assert(
    fc.property(bytes, fc.array(fc.nat(60), { maxLength: 8 }), (content, cuts) => {
      const whole = scan(content)
      expect(scan(content, cuts)).toEqual(whole)
      const lines = content.split('\n').length
      expect(whole.every(({ line }, i) => line >= 1 && line <= lines && (i === 0 || line > whole[i - 1].line))).toBe(
        true,
      )
    }),
    { numRuns: 500 },
  )
})
