// Answers as JSON, in bytes as every wire wants them: column batches become arrays of row objects, 64-bit integers
// strings, times ISO 8601, typed arrays lists.
import { isColumnBatch, type ColumnBatch } from '../../contract/columns.ts'
import { rowsToJson } from '../base/rows-to-json.ts'

/** Rows of a batch that is answered more than once are written once. */
const written = new WeakMap<ColumnBatch, Buffer>()

export function toJson(value: unknown): Buffer {
  const parts: (string | Buffer)[] = []
  write(value, parts)
  return joinBytes(parts)
}

/** Texts and bytes, one after the other. */
export function joinBytes(parts: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(parts.map(part => (typeof part === 'string' ? Buffer.from(part) : part)))
}

function write(value: unknown, out: (string | Buffer)[]): void {
  if (isColumnBatch(value)) out.push(writtenRows(value))
  else if (Array.isArray(value)) writeList(value, out)
  else if (ArrayBuffer.isView(value)) writeList(Array.from(value as unknown as ArrayLike<number | bigint>), out)
  else if (typeof value === 'bigint') out.push(`"${value}"`)
  else if (typeof value === 'object' && value !== null && !(value instanceof Date)) writeObject(value, out)
  else out.push(JSON.stringify(value) ?? 'null')
}

function writtenRows(batch: ColumnBatch): Buffer {
  const known = written.get(batch)
  if (known) return known
  const json = rowsToJson(batch)
  written.set(batch, json)
  return json
}

function writeList(items: readonly unknown[], out: (string | Buffer)[]): void {
  out.push('[')
  items.forEach((item, i) => {
    if (i > 0) out.push(',')
    write(item, out)
  })
  out.push(']')
}

function writeObject(value: object, out: (string | Buffer)[]): void {
  let separator = '{'
  for (const [name, field] of Object.entries(value)) {
    if (field === undefined) continue
    out.push(`${separator}${JSON.stringify(name)}:`)
    write(field, out)
    separator = ','
  }
  out.push(separator === '{' ? '{}' : '}')
}
