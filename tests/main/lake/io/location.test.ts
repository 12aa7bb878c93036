import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Failure } from '../../../../src/contract/failure.ts'
import { canonicalLocation, joinLocation, parseLocation } from '../../../../src/main/lake/io/location.ts'

describe('a location', () => {
  it.each(['/lake/a b%20/ü', 'file:/lake/a b%20/ü', 'file:///lake/a b%20/ü', 'file://localhost/lake/a b%20/ü'])(
    '%s is a path, taken as it is',
    location => {
      expect(parseLocation(location)).toEqual({ kind: 'file', path: '/lake/a b%20/ü' })
      expect(canonicalLocation(location)).toBe('file:///lake/a b%20/ü')
    },
  )

  it.each(['s3://bucket/a%2Fb/c d?e#f', 's3a://bucket/a%2Fb/c d?e#f', 's3n://bucket/a%2Fb/c d?e#f'])(
    '%s is a key in a bucket, taken as it is',
    location => {
      expect(parseLocation(location)).toEqual({ kind: 's3', bucket: 'bucket', key: 'a%2Fb/c d?e#f' })
      expect(canonicalLocation(location)).toBe('s3://bucket/a%2Fb/c d?e#f')
    },
  )

  it('on Windows is a path with a drive', () => {
    for (const location of ['file:///C:/lake/a', 'file:/C:/lake/a', 'C:/lake/a'])
      expect(parseLocation(location, 'win32')).toEqual({ kind: 'file', path: 'C:/lake/a' })
    expect(parseLocation('\\\\server\\share\\a', 'win32')).toEqual({ kind: 'file', path: '\\\\server\\share\\a' })
  })

  it.each(['', 'lake/a', './a', 'file:a', 'file://host/a', 's3:/a', 's3://', 's3:///key', 'hdfs://h/a', '/a\0b'])(
    '%j is refused, with the location and what to write',
    location => {
      expect(() => parseLocation(location)).toThrow(Failure)
      expect(() => parseLocation(location)).toThrow(/cannot be used: .+\. Write file:/)
    },
  )

  it('joined from folder and names gives the names back, in the way the folder is written', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter(text => !/[/\0]/.test(text))
    const folder = fc.constantFrom('/lake', 'file:/lake', 'file:///lake/', 's3://bucket', 's3://bucket/lake//')
    fc.assert(
      fc.property(folder, fc.array(name, { minLength: 1, maxLength: 4 }), (folder, names) => {
        const joined = joinLocation(folder, ...names)
        expect(joined.startsWith(folder.replace(/\/+$/, ''))).toBe(true)
        const place = parseLocation(joined)
        expect((place.kind === 'file' ? place.path : place.key).endsWith(names.join('/'))).toBe(true)
        expect(canonicalLocation(canonicalLocation(joined))).toBe(canonicalLocation(joined))
      }),
    )
  })
})
