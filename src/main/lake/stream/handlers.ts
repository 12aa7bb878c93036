// The lake's part where log and tables meet: what could not be written, and how far the writer is.
import type { Handlers } from '../../../contract/capability.ts'
import type { offsets as offsetsContract } from '../../../contract/offsets.ts'
import type { Lake } from '../lake.ts'
import { listLetters, readLetter } from './dead-letters.ts'
import type { LogView } from './log-view.ts'
import { replayLetters, type Replaying } from './replay-letters.ts'
import { setOffsets } from './set-offsets.ts'
import { showOffsets } from './show-offsets.ts'

export interface StreamHandlerOptions extends Replaying {
  /** UNAVAILABLE when there is none, or it cannot be asked now. */
  openLog: () => Promise<LogView>
}

export function streamHandlers(
  lake: Lake,
  { openLog, ...replaying }: StreamHandlerOptions,
): Handlers<typeof offsetsContract> {
  return {
    async 'deadLetters.list'(asked, { signal }) {
      const { data, total, query } = await listLetters(lake, asked, signal)
      return { data, query, pagination: { limit: asked.limit, has_more: total > data.length, total } }
    },

    async 'deadLetters.show'(place, { signal }) {
      const { key, message, ...row } = await readLetter(lake, place, signal)
      return {
        ...row,
        key: key && (textOf(key) ?? key.toString('base64')),
        text: message && textOf(message),
        base64: message && message.toString('base64'),
      }
    },

    'deadLetters.replay': (filter, { signal }) => replayLetters(lake, filter, replaying, signal),

    'offsets.show': ({ topic }) => showOffsets(lake, openLog, topic),

    async 'offsets.set'(asked) {
      const { table, before, next, snapshotId } = await setOffsets(lake, openLog, asked)
      return {
        table,
        topic: asked.topic,
        partition: asked.partition,
        before: before === undefined ? null : String(before),
        next_offset: String(next),
        snapshot_id: snapshotId,
      }
    },
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Nothing for what is no text: not UTF-8, or with control characters that a terminal would obey. */
function textOf(bytes: Buffer): string | null {
  try {
    const text = utf8.decode(bytes)
    // eslint-disable-next-line no-control-regex -- just those are looked for
    return /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.test(text) ? null : text
  } catch {
    return null
  }
}
