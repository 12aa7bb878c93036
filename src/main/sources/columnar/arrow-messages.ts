// An Arrow stream message by message, each checked before Arrow's reader sees it: that one believes every count in a
// header, and a flipped bit there makes it fill memory or wait for minutes.
//   message = ff ff ff ff, length:4, header (a flatbuffer padded to the length), body;  length 0 ends the stream

const [SCHEMA, DICTIONARY_BATCH, RECORD_BATCH] = [1, 2, 3]
const CONTINUATION = 0xffffffff
const PREFIX_BYTES = 8
const DEEPEST = 64

/** `withSchema` is asked when the first message is not a schema: Arrow's JavaScript writes files so. */
export async function* checkedMessages(
  chunks: AsyncIterable<Buffer>,
  bytesTotal: number,
  withSchema: () => Promise<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const take = createTaker(chunks, bytesTotal)
  for (let isFirst = true; ; isFirst = false) {
    const prefix = await take(PREFIX_BYTES)
    if (prefix.readUInt32LE(0) !== CONTINUATION) throw new Error('a message does not begin where it should')
    const header = await take(prefix.readUInt32LE(4))
    if (header.length === 0) return
    const { headerType, bodyBytes } = checkHeader(header)
    if (isFirst && headerType !== SCHEMA) yield await withSchema()
    yield prefix
    yield header
    if (bodyBytes > 0) yield await take(bodyBytes)
  }
}

/** So many bytes, copied to where any number may lie; more than the file has are refused before they are waited for. */
function createTaker(chunks: AsyncIterable<Buffer>, bytesTotal: number): (count: number) => Promise<Buffer> {
  const iterator = chunks[Symbol.asyncIterator]()
  let bytesLeft = bytesTotal
  let rest: Buffer = Buffer.alloc(0)
  return async count => {
    if (count > bytesLeft) throw new Error('a message is longer than the file')
    bytesLeft -= count
    const taken = Buffer.from(new ArrayBuffer(count))
    for (let at = 0; at < count;) {
      if (rest.length === 0) {
        const next = await iterator.next()
        if (next.done) throw new Error('it ends within a message')
        rest = next.value
      }
      const copied = rest.copy(taken, at)
      rest = rest.subarray(copied)
      at += copied
    }
    return taken
  }
}

/** Reads outside the header throw by themselves. */
function checkHeader(header: Buffer): { headerType: number; bodyBytes: number } {
  const message = tableAt(header, header.readUInt32LE(0))
  const headerType = message.place(1) ? header.readUInt8(message.place(1)) : 0
  const bodyBytes = message.place(3) ? Number(header.readBigInt64LE(message.place(3))) : 0
  if (bodyBytes < 0) throw new Error('a message has a negative length')
  const place = message.place(2)
  if (place === 0) throw new Error('a message has no header')
  const content = tableAt(header, place + header.readUInt32LE(place))
  if (headerType === SCHEMA) checkFields(header, content.place(1), 0)
  else if (headerType === RECORD_BATCH) checkBatch(header, content)
  else if (headerType === DICTIONARY_BATCH) {
    const batch = content.place(1)
    if (batch > 0) checkBatch(header, tableAt(header, batch + header.readUInt32LE(batch)))
  } else throw new Error('a message is of no kind that is known')
  return { headerType, bodyBytes }
}

interface FlatTable {
  /** Where a field lies, 0 when it is left out. */
  place: (field: number) => number
}

function tableAt(bytes: Buffer, at: number): FlatTable {
  const fields = at - bytes.readInt32LE(at)
  const fieldBytes = bytes.readUInt16LE(fields)
  return {
    place(field) {
      const entry = 4 + 2 * field
      const offset = entry < fieldBytes ? bytes.readUInt16LE(fields + entry) : 0
      return offset === 0 ? 0 : at + offset
    },
  }
}

const [LENGTHS, BUFFERS, VARIADIC_COUNTS] = [1, 2, 4]

function checkBatch(bytes: Buffer, { place }: FlatTable): void {
  countOf(bytes, place(LENGTHS), 16)
  const buffers = countOf(bytes, place(BUFFERS), 16)
  const at = place(VARIADIC_COUNTS)
  const counts = countOf(bytes, at, 8)
  for (let i = 0; i < counts; i++)
    if (bytes.readBigUInt64LE(at + bytes.readUInt32LE(at) + 4 + 8 * i) > buffers)
      throw new Error('a column has more buffers than there are')
}

const [CHILDREN, CUSTOM_METADATA] = [5, 6]

function checkFields(bytes: Buffer, place: number, depth: number): void {
  if (depth > DEEPEST) throw new Error('its schema is nested too deep')
  const count = countOf(bytes, place, 4)
  for (let i = 0; i < count; i++) {
    const entry = place + bytes.readUInt32LE(place) + 4 + 4 * i
    const field = tableAt(bytes, entry + bytes.readUInt32LE(entry))
    countOf(bytes, field.place(CUSTOM_METADATA), 4)
    checkFields(bytes, field.place(CHILDREN), depth + 1)
  }
}

/** Items of a vector, which lie in the header all of them. */
function countOf(bytes: Buffer, place: number, itemBytes: number): number {
  if (place === 0) return 0
  const vector = place + bytes.readUInt32LE(place)
  const count = bytes.readUInt32LE(vector)
  if (vector + 4 + count * itemBytes > bytes.length) throw new Error('a header counts more than it holds')
  return count
}
