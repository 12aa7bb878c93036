// What a producer hands over, before any of it is taken: all of it or none of it is appended.
import { Failure } from '../../contract/failure.ts'
import type { Produced } from './message-log.ts'

export function checkProduced({ count, keys, values, ends, timestamps }: Produced, mostMessageBytes = Infinity): void {
  if (keys.length < count || ends.length < count || (timestamps && timestamps.length < count))
    throw new Failure('INVALID_INPUT', `${count} messages need as many keys, ends and timestamps.`)
  for (let i = 0, from = 0; i < count; from = ends[i++]) {
    if (ends[i] < from || ends[i] > values.length)
      throw new Failure('INVALID_INPUT', `Message ${i} ends outside the bytes that were handed over.`)
    if (ends[i] - from > mostMessageBytes)
      throw new Failure(
        'PAYLOAD_TOO_LARGE',
        `Message ${i} has ${ends[i] - from} bytes; ${mostMessageBytes} are allowed.`,
      )
  }
}
