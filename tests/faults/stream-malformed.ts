// Messages that cannot be read among those that can, and what is done about them then.
import { letterText } from '../support/stream-feed.ts'
import { openStreamPlace, type StreamServers } from '../support/stream-place.ts'
import { judgeStream, type Verdict } from '../support/stream-verdict.ts'
import { untilCommitted } from '../support/stream-wait.ts'

/** One in a hundred is no row, and one in a hundred a repeat. */
const SPREAD = 100
const LISTED = 50

export async function malformedMessages(servers: StreamServers, messages: number): Promise<Verdict> {
  const place = await openStreamPlace(servers, { name: 'malformed', tables: ['trades'], feed: { spread: SPREAD } })
  try {
    const [{ topic }] = place.topics
    const complaints: string[] = []
    const expect = (holds: boolean, what: string) => void (holds || complaints.push(what))
    await place.feed.produce(messages)
    const writer = await place.startWriter()
    await untilCommitted(place, writer)
    const bad = messages / SPREAD
    const { client } = writer
    const { data, pagination } = await client['deadLetters.list']({ topic, limit: LISTED })
    expect(pagination?.total === bad, `${pagination?.total} dead letters are listed, not ${bad}`)
    expect(data.length === LISTED, `${data.length} of them are shown, not ${LISTED}`)
    const letters = new Set(Array.from({ length: bad }, (_, i) => letterText(i * SPREAD + 7)))
    for (const { partition, offset } of data.slice(0, 5)) {
      const { text } = await client['deadLetters.show']({ topic, partition, offset: Number(offset) })
      expect(letters.has(text ?? ''), `the dead letter at ${partition}/${offset} says ${text}`)
    }
    const replayed = await client['deadLetters.replay']({ topic })
    expect(
      JSON.stringify(replayed) === JSON.stringify({ tried: bad, written: 0, already_there: 0, still_bad: bad }),
      `the replay says ${JSON.stringify(replayed)}`,
    )
    const { rows, dead_letters: counted, duplicates } = await client['ingest.status']({})
    expect(
      rows === messages - 2 * bad && counted === bad && duplicates === bad,
      `it counts ${rows} rows, ${counted} dead letters and ${duplicates} repeats`,
    )
    complaints.push(...(await writer.close()))
    const verdict = await judgeStream(place)
    return { ...verdict, complaints: [...complaints, ...verdict.complaints] }
  } finally {
    await place.close()
  }
}
