// What a broker sent, decoded: everything that was written and nothing else; damage is named, whatever it is.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Failure } from '../../../../src/contract/failure.ts'
import { wholeBatches } from '../../../../src/main/log/kafka/record-batch.ts'
import { batchAt, decode, messagesOf, NOBODY, resealed, sourceOf, type Message } from './batches.ts'
import { encodeBatch } from '../../../../src/main/log/kafka/encode-batch.ts'
import * as at from '../../../../src/main/log/kafka/record-batch.ts'

const START = 1_768_000_000_000
const numbered = (count: number, from = 0): Message[] =>
  Array.from({ length: count }, (_, i) => ({ key: `k${i % 3}`, text: `text ${from + i}`, timeMs: START + i }))

/** As `offset` and `id` of a producer's transaction. */
const inTransaction = (batch: Buffer, id: bigint) =>
  resealed(batch, copy => {
    copy.writeInt16BE(copy.readInt16BE(at.ATTRIBUTES_AT) | at.TRANSACTIONAL_BIT, at.ATTRIBUTES_AT)
    copy.writeBigInt64BE(id, at.PRODUCER_AT)
  })

function mark(offset: number, id: bigint, type: 'abort' | 'commit'): Buffer {
  const batch = batchAt(offset, [
    { key: `\0\0\0${type === 'abort' ? '\0' : '\x01'}`, text: '\0\0\0\0\0\0', timeMs: START },
  ])
  return resealed(batch, copy => {
    copy.writeInt16BE(at.TRANSACTIONAL_BIT | at.CONTROL_BIT, at.ATTRIBUTES_AT)
    copy.writeBigInt64BE(id, at.PRODUCER_AT)
  })
}

describe('batches of records', () => {
  it('come back as they were written, whatever is in them and however they are cut', () => {
    const message = fc.record({
      key: fc.string({ unit: 'grapheme', maxLength: 20 }),
      text: fc.option(fc.oneof(fc.string({ maxLength: 200 }), fc.constant('x'.repeat(9000)))),
      timeMs: fc.integer({ min: 0, max: 2 ** 43 }),
    })
    const property = fc.property(
      fc.array(fc.array(message, { minLength: 1, maxLength: 30 }), { minLength: 1, maxLength: 6 }),
      fc.nat(40),
      (batches, skipped) => {
        const all = batches.flat().map((message, offset) => ({ ...message, offset }))
        let offset = 0
        const bytes = batches.map(messages => batchAt((offset += messages.length) - messages.length, messages))
        const from = Math.min(skipped, bytes[0] ? batches[0].length - 1 : 0)
        const decoded = decode(Buffer.concat(bytes), { from })
        expect(messagesOf(decoded)).toEqual(all.slice(from))
        expect(decoded.at(-1)!.nextOffset).toBe(all.length)
      },
    )
    fc.assert(property, { numRuns: 150 })
  })

  it('are handed out in pieces that hold up nobody, and small ones together', () => {
    const large = decode(batchAt(10, numbered(10_000)))
    expect(large.map(({ count }) => count)).toEqual([4096, 4096, 1808])
    expect(large.map(({ nextOffset }) => nextOffset)).toEqual([4106, 8202, 10_010])
    const small = Array.from({ length: 500 }, (_, i) => batchAt(i, numbered(1, i)))
    const together = decode(Buffer.concat(small))
    expect(together.map(({ count }) => count)).toEqual([500])
    expect(messagesOf(together).at(-1)).toMatchObject({ offset: 499, text: 'text 499' })
  })

  it('lie where the broker sent them when they are not compressed', () => {
    const noise = Array.from({ length: 5 }, (_, i) => ({ key: '', text: String.fromCharCode(65 + i), timeMs: START }))
    const bytes = Buffer.concat([batchAt(0, noise), batchAt(5, noise)])
    const [batch] = decode(bytes)
    expect(batch.count).toBe(10)
    expect(batch.bytes.buffer).toBe(bytes.buffer)
  })

  it('carry the time the broker took them in, where it says so', () => {
    const batch = resealed(batchAt(0, numbered(3)), copy => {
      copy.writeInt16BE(copy.readInt16BE(at.ATTRIBUTES_AT) | at.LOG_APPEND_TIME_BIT, at.ATTRIBUTES_AT)
      copy.writeBigInt64BE(BigInt(START + 77), at.LATEST_TIME_AT)
    })
    expect(messagesOf(decode(batch)).map(({ timeMs }) => timeMs)).toEqual([START + 77, START + 77, START + 77])
  })

  it('have a time that a table can hold, also of a producer that counts in nanoseconds', () => {
    const timeOf = (timeMs: number) => messagesOf(decode(batchAt(0, [{ key: '', text: 'a', timeMs }])))[0].timeMs
    expect(timeOf(START * 1e6)).toBe(9_007_199_254_740)
    expect(timeOf(-START * 1e6)).toBe(-9_007_199_254_740)
    expect(timeOf(-1)).toBe(-1)
  })

  it('leave out what was aborted, and only that', () => {
    const [one, other] = [7n, 8n]
    const bytes = Buffer.concat([
      inTransaction(batchAt(0, numbered(2)), one),
      batchAt(2, numbered(1, 2)),
      inTransaction(batchAt(3, numbered(2, 3)), other),
      mark(5, one, 'abort'),
      inTransaction(batchAt(6, numbered(1, 6)), one),
      mark(7, other, 'commit'),
      mark(8, one, 'commit'),
    ])
    const decoded = decode(bytes, { aborted: [{ producerId: one, firstOffset: 0 }] })
    expect(messagesOf(decoded).map(({ offset }) => offset)).toEqual([2, 3, 4, 6])
    expect(decoded.at(-1)!.nextOffset).toBe(9)
  })

  it('that are nothing but marks and gaps still say where the next read starts', () => {
    const batches = decode(Buffer.concat([mark(4, 7n, 'commit'), mark(5, 7n, 'abort')]), { from: 3 })
    expect(batches).toHaveLength(1)
    expect(batches[0]).toMatchObject({ count: 0, nextOffset: 6 })
    const emptied = resealed(encodeBatch(sourceOf(numbered(5)), NOBODY).subarray(0, at.RECORDS_AT), copy => {
      copy.writeInt16BE(0, at.ATTRIBUTES_AT)
      copy.writeInt32BE(0, at.COUNT_AT)
      copy.writeInt32BE(copy.length - at.LENGTH_COUNTS_FROM, at.LENGTH_AT)
    })
    expect(decode(emptied)[0]).toMatchObject({ count: 0, nextOffset: 5 })
  })
})

describe('a run of batches', () => {
  const bytes = Buffer.concat([batchAt(5, numbered(3)), batchAt(20, numbered(2))])
  it('ends where the broker cut it off', () => {
    expect(wholeBatches(bytes, 6)).toEqual({ end: bytes.length, nextOffset: 22, epoch: -1 })
    expect(wholeBatches(bytes.subarray(0, bytes.length - 1), 6).nextOffset).toBe(8)
    expect(wholeBatches(Buffer.alloc(0), 6)).toEqual({ end: 0, nextOffset: 6, epoch: -1 })
  })

  it.each([
    ['has no whole batch', bytes.subarray(0, 70), 6, /cut off/],
    ['lies before what was asked for', bytes, 8.5, /do not grow/],
    ['goes backwards', Buffer.concat([bytes, batchAt(7, numbered(1))]), 6, /do not grow/],
    ['is older than Kafka 0.11', changed(bytes, at.FORMAT_AT, 1), 6, /message format 1/],
    ['has a length that cannot be', changed(bytes, at.LENGTH_AT, 0xff), 6, /ends before it begins/],
  ] as const)('is refused when it %s', (_, run, from, message) => {
    expect(() => wholeBatches(run, from)).toThrow(message)
  })
})

function changed(bytes: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at] = value
  return copy
}

describe('a damaged batch', () => {
  const messages = numbered(40).map((message, i) => ({
    ...message,
    text: i % 9 === 4 ? null : `${message.text} ${i ** 9}`,
  }))
  const bytes = Buffer.concat([batchAt(0, messages.slice(0, 25)), batchAt(25, messages.slice(25))])
  const second = wholeBatches(bytes.subarray(0, bytes.length - 1), 0).end
  const expected = messagesOf(decode(bytes))

  /** In bytes that brokers rewrite and the checksum does not cover: first offset and leader epoch. */
  const isUncovered = (position: number) => {
    const within = position < second ? position : position - second
    return within < 8 || (within >= at.LENGTH_COUNTS_FROM && within < at.FORMAT_AT)
  }

  it('is never taken for a whole one: 10,000 flips of one to three bits', () => {
    const seed = Date.now() % 1e6
    let state = seed + 1
    const random = (below: number) => (state = (state * 48_271) % 2_147_483_647) % below
    let caught = 0
    for (let n = 0; n < 10_000; n++) {
      const copy = Buffer.from(bytes)
      const flips = Array.from({ length: 1 + random(3) }, () => random(copy.length))
      for (const position of flips) copy[position] ^= 1 << random(8)
      let found
      try {
        const { end } = wholeBatches(copy, 0)
        found = messagesOf(decode(copy.subarray(0, end)))
      } catch (error) {
        if (error instanceof Failure)
          expect(error).toMatchObject({ code: 'CORRUPT', details: { topic: 't', partition: 3 } })
        else expect((error as Error).constructor.name).toBe('DamagedBatch')
        caught++
        continue
      }
      // What is left is a run that ends early, as a broker may cut one, or offsets that nothing guards.
      const told = flips.some(isUncovered) ? found.map(({ text }) => text) : found
      const whole = flips.some(isUncovered) ? expected.map(({ text }) => text) : expected
      expect(told, `seed ${seed}, flip ${n} at ${flips.join()}`).toEqual(whole.slice(0, told.length))
    }
    expect(caught).toBeGreaterThan(7000)
  })

  it('is found by its lengths where its checksum was made to agree: 10,000 flips', () => {
    const plain = batchAt(
      0,
      [...'abcd'].map((key, i) => ({ key, text: key.repeat(i), timeMs: START + 999 * i })),
    )
    expect(plain.readInt16BE(at.ATTRIBUTES_AT) & at.CODEC_BITS).toBe(0)
    for (let n = 0; n < 10_000; n++) {
      const damaged = resealed(plain, copy => {
        copy[at.ATTRIBUTES_AT + (n % (copy.length - at.ATTRIBUTES_AT))] ^= 1 + (n % 255)
      })
      try {
        const { end } = wholeBatches(damaged, 0)
        for (const batch of decode(damaged.subarray(0, end)))
          for (let i = 0; i < batch.count; i++) expect(batch.ends[i]).toBeLessThanOrEqual(batch.bytes.length)
      } catch (error) {
        expect(['Failure', 'Error']).toContain((error as Error).name)
      }
    }
  })

  it('names where it is and what to do', () => {
    const copy = changed(bytes, second + at.RECORDS_AT + 5, bytes[second + at.RECORDS_AT + 5] ^ 1)
    const [first] = decode(bytes.subarray(0, second))
    expect(first.count).toBe(25)
    expect(() => decode(copy)).toThrow(/Offset 25 of partition 3 of t .*checksum.*Nothing of it was taken/)
    expect(() => decode(copy)).toThrow('read on behind it with `k2 ingest offsets set t 3 40`')
  })
})
