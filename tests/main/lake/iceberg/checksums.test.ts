import { expect, it } from 'vitest'
import { readChecksums } from '../../../../src/main/lake/iceberg/checksums.ts'
import { tradesEntry } from './manifest-sample.ts'

const read = (text: string) => {
  const entries = [tradesEntry(1), tradesEntry(2), tradesEntry(3)]
  readChecksums(new Map([['k2.crc32', Buffer.from(text)]]), entries)
  return entries.map(({ file }) => file.crc32)
}

it('gives each file its checksum, and none where there is none', () => {
  expect(read('ff,,deadbeef')).toEqual([255, undefined, 0xdeadbeef])
})

it.each(['', '1,2', '1,2,3,4', 'x,,-'])('passes over what is not one for each entry, as %j', text => {
  expect(read(text)).toEqual([undefined, undefined, undefined])
})
