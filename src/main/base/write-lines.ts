// Lines of text into bytes, one after the other.

/** Line by line, because one string of all of them costs a quarter more to put together. */
export function writeLines(
  count: number,
  lineOf: (row: number) => string,
  { before, between, after }: { before: string; between: string; after: string },
): Buffer {
  let bytes: Buffer = Buffer.allocUnsafe(1024 + before.length * 3 + after.length * 3 + count * 512)
  let at = bytes.write(before)
  for (let row = 0; row < count; row++) {
    const line = row > 0 ? between + lineOf(row) : lineOf(row)
    // 3: bytes of UTF-8 per unit at the most.
    if (bytes.length - at <= line.length * 3) bytes = grown(bytes, at + line.length * 3)
    at += bytes.write(line, at)
  }
  if (bytes.length - at <= after.length * 3) bytes = grown(bytes, at + after.length * 3)
  at += bytes.write(after, at)
  return bytes.subarray(0, at)
}

function grown(bytes: Buffer, needed: number): Buffer {
  const larger = Buffer.allocUnsafe(2 * Math.max(bytes.length, needed))
  bytes.copy(larger)
  return larger
}
