// What a row is called: its own id, and the message's by the rule of src/main/market/message-id.ts, written as bytes.
import type { Column } from '../../../contract/columns.ts'
import { makeIds } from './id-column.ts'

export interface RowIds {
  begin: (capacity: number) => void
  /** The file's own id of the row. */
  read: (row: number, bytes: Buffer, from: number, to: number) => void
  /** Without one, the row's place in the file is its id. */
  setOrdinal: (row: number, ordinal: number) => void
  /** Once the id is known. `exchange` in upper case. */
  endRow: (row: number, exchange: string, micros: number, symbol: string) => void
  finish: (rowCount: number) => Record<string, Column>
}

/** `ownName` is the column of the row's own id. */
export function makeRowIds(ownName: 'trade_id' | 'quote_id'): RowIds {
  const own = makeIds()
  const message = makeIds()
  const headOf = rememberBytes(exchange => `${exchange}:`)
  const middleOf = rememberBytes(symbol => `:${symbol}:`)
  return {
    begin(capacity) {
      own.begin(capacity)
      message.begin(capacity)
    },
    read(row, bytes, from, to) {
      own.open(row)
      own.putBytes(bytes, from, to)
      own.close(row)
    },
    setOrdinal(row, ordinal) {
      own.open(row)
      own.putNumber(ordinal)
      own.close(row)
    },
    endRow(row, exchange, micros, symbol) {
      const [head, middle] = [headOf(exchange), middleOf(symbol)]
      message.open(row)
      message.putBytes(head, 0, head.length)
      message.putNumber(Math.floor(micros / 1000))
      message.putBytes(middle, 0, middle.length)
      message.putId(own, row)
      message.close(row)
    },
    finish: rowCount => ({ message_id: message.finish(rowCount), [ownName]: own.finish(rowCount) }),
  }
}

const MOST_REMEMBERED = 10_000

/** Rows of one instrument come in runs, and of few instruments in all. */
function rememberBytes(write: (text: string) => string): (text: string) => Buffer {
  const known = new Map<string, Buffer>()
  let last: string | undefined
  let lastBytes: Buffer = Buffer.alloc(0)
  return text => {
    if (text === last) return lastBytes
    if (known.size >= MOST_REMEMBERED) known.clear()
    lastBytes = known.get(text) ?? Buffer.from(write(text))
    known.set(text, lastBytes)
    last = text
    return lastBytes
  }
}
