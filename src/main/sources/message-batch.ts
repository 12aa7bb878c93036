// Messages of one topic on their way from a source to the log: keys, and values end to end. Used again and again.
import type { Produced } from '../log/message-log.ts'
import { clearValues, createValueBuffer, type ValueBuffer } from '../market/value-buffer.ts'

export interface MessageBatch {
  keys: string[]
  values: ValueBuffer
}

export function createMessageBatch(): MessageBatch {
  return { keys: [], values: createValueBuffer() }
}

/** What the batch holds, until it is cleared: views, not copies. */
export function producedOf({ keys, values: { count, bytes, length, ends } }: MessageBatch): Produced {
  return { count, keys, values: bytes.subarray(0, length), ends: ends.subarray(0, count) }
}

export function clearBatch({ keys, values }: MessageBatch): void {
  keys.length = 0
  clearValues(values)
}
