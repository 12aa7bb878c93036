// What the strip under the panes says of the rows above it: where they came from, whether all are there, how fresh.
import type { QueryMeta } from '../../contract/fields.ts'
import type { WriterStatus } from '../../contract/writer.ts'
import type { FeedState } from '../stores/feed.ts'
import type { LinkState } from '../stores/link.ts'
import { grouped } from './decimal-text.ts'

export interface Completeness {
  isComplete: boolean
  text: string
}

/** The most important reason first; `timeText` writes a moment in the page's zone. */
export function completenessOf(
  link: LinkState,
  feed: FeedState,
  query: QueryMeta | undefined,
  timeText: (ms: number) => string,
): Completeness {
  const partial = (why: string) => ({ isComplete: false, text: `Partial: ${why}` })
  if (link.state === 'lost' && feed.hasRows)
    return partial(`${whyLost(link)}, showing rows up to ${timeText(link.lostAtMs!)}`)
  if (feed.stalled) return partial(feed.stalled)
  if (feed.missed > 0) return partial(`${grouped(feed.missed)} rows left the tail before this window took them`)
  if (feed.brokenAtMs !== undefined)
    return partial(`rows before ${timeText(feed.brokenAtMs)} may be missing, the stream began anew`)
  if (query?.partial) return partial(query.why ?? 'K2 does not say why')
  if (!feed.hasRows) return { isComplete: true, text: 'Nothing has come yet' }
  return { isComplete: true, text: 'Complete' }
}

function whyLost({ isSignedOut }: LinkState): string {
  return isSignedOut ? 'K2 was started anew, open the address that it printed' : 'the connection is gone'
}

/** "Tail of the embedded log": the tier that answered. */
export function tierText(link: LinkState, query: QueryMeta | undefined): string {
  const log = link.about ? (link.about.log === 'kafka' ? 'Kafka' : 'the embedded log') : undefined
  switch (query?.engine) {
    case 'lake':
      return `Snapshot ${query.snapshot_id ?? ''}`
    case 'hybrid':
      return `Snapshot ${query.snapshot_id ?? ''} + tail`
    default:
      return log ? `Tail of ${log}` : 'Tail'
  }
}

/** Whether what comes in gets into the tables; nothing where that is not known, or this K2 is not to write. */
export function writingOf(writer: WriterStatus | null | undefined): Completeness | undefined {
  if (!writer || writer.state === 'off') return undefined
  const { state, lag, messages, topics, why } = writer
  if (state === 'following' && topics.length === 0) return { isComplete: true, text: 'another K2 writes the tables' }
  const isWell =
    state === 'writing' || state === 'starting' || state === 'following' || (state === 'waiting' && messages === 0)
  if (!isWell) return { isComplete: false, text: `Not written to the tables: ${why ?? state}` }
  return { isComplete: true, text: lag === 0 ? 'written to the tables' : `${grouped(lag)} not in the tables yet` }
}
