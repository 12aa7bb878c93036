// Says where the writer goes on in a partition of the log: the way out of a log that was reset, of messages that retention
// took, and of a table that does not know how far the log is in it. Going back writes no row twice, going forward skips.
import { Failure } from '../../../contract/failure.ts'
import type { TableId } from '../../../contract/tables.ts'
import { parseInstant } from '../../base/values/parse-time.ts'
import { BadValue } from '../../base/values/bad-value.ts'
import { parseTopic } from '../../market/topics.ts'
import type { OffsetVector, TopicOffsets } from '../../market/topic-offsets.ts'
import { commitChange } from '../commit/commit-change.ts'
import type { TableMetadata } from '../iceberg/metadata.ts'
import type { Lake } from '../lake.ts'
import { moveOffsets, OFFSETS_SET_KEY, offsetsIfKnown } from '../offsets.ts'
import type { LakeTable } from '../table.ts'
import { isAway, topicNow, type LogView, type TopicNow } from './log-view.ts'
import { offsetsFromRows } from './offsets-from-rows.ts'
import { rereadUpTo } from './reread.ts'

export interface SetOffsetsOf {
  topic: string
  partition: number
  /** `earliest`, `latest`, an offset, or a time. */
  to: string
}

export interface OffsetsSet {
  table: TableId
  before: number | undefined
  next: number
  snapshotId: string
}

/** Tables that rows of messages go to. */
export const ROW_TABLES = ['trades', 'quotes', 'reference_data'] as const
/** What is written beside them, each with a vector of its own. */
const SIDE_TABLES = ['dead_letters', 'sequence_gaps'] as const

export async function setOffsets(
  lake: Lake,
  openLog: () => Promise<LogView>,
  asked: SetOffsetsOf,
): Promise<OffsetsSet> {
  const { topic, partition } = asked
  const id = parseTopic(topic)?.dataType ?? (await tableThatKnows(lake, topic))
  const table = lake.table(id)
  const there = await metadataIfThere(table)
  const known = there && offsetsIfKnown(there)
  const { life, next, ranges } = await resolve(openLog, asked, known)
  await lake.ensure(id)
  const { metadata } = await table.known()
  const from = known ?? (await offsetsFromRows(lake, id, await openLog()))
  const before = from.find(isLife(life, topic))?.next[String(partition)]
  // Of a topic that is new to the table the others are named too, where they begin: what is not named counts from 0 on.
  const isNew = !from.some(own => own.topic === topic)
  const others = isNew ? ranges.map(range => [String(range.partition), range.earliest] as const) : []
  const to: TopicOffsets = { ...life, topic, next: { ...Object.fromEntries(others), [partition]: next } }
  const summary = { [OFFSETS_SET_KEY]: `${topic}/${partition}` }
  for (const side of SIDE_TABLES) await setBeside(lake, side, to, summary)
  const isBack = before !== undefined && next < before
  const { snapshotId } = await commitChange(table, {
    operation: 'append',
    summary,
    offsets: { set: current => moveOffsets(current ?? from, [to]) },
    ...(isBack && { properties: () => rereadUpTo(metadata, [{ ...to, next: { [partition]: before } }]) }),
  })
  return { table: id, before, next, snapshotId }
}

const isLife = (life: Pick<TopicOffsets, 'cluster' | 'epoch'>, topic: string) => (entry: TopicOffsets) =>
  entry.topic === topic && entry.cluster === life.cluster && entry.epoch === life.epoch

/**
 * Also back, so that nothing is passed over that was never looked at; what they hold of it already is left out when it
 * comes again. One that does not know the topic looks at everything anyway.
 */
async function setBeside(
  lake: Lake,
  id: (typeof SIDE_TABLES)[number],
  to: TopicOffsets,
  summary: Record<string, string>,
): Promise<void> {
  const table = lake.table(id)
  const metadata = await metadataIfThere(table)
  if (!metadata) return
  const known = offsetsIfKnown(metadata)
  if (known && !known.some(({ topic }) => topic === to.topic)) return
  const offsets = { set: (current?: OffsetVector) => moveOffsets(current ?? [], [to]) }
  await commitChange(table, { operation: 'append', summary, offsets })
}

export async function metadataIfThere(table: LakeTable): Promise<TableMetadata | undefined> {
  try {
    return (await table.load()).metadata
  } catch (error) {
    if (error instanceof Failure && error.code === 'NOT_FOUND') return undefined
    throw error
  }
}

async function tableThatKnows(lake: Lake, topic: string): Promise<TableId> {
  for (const id of ROW_TABLES) {
    const metadata = await metadataIfThere(lake.table(id))
    if (metadata && offsetsIfKnown(metadata)?.some(own => own.topic === topic)) return id
  }
  throw new Failure(
    'INVALID_INPUT',
    `Nothing says which table ${topic} goes to: it is not named market.ASSET_CLASS.DATA_TYPE.EXCHANGE, and no table knows it. Nothing was changed.`,
  )
}

interface Resolved {
  life: Pick<TopicOffsets, 'cluster' | 'epoch'>
  next: number
  /** None where the log is away. */
  ranges: TopicNow['ranges']
}

async function resolve(
  openLog: () => Promise<LogView>,
  { topic, partition, to }: SetOffsetsOf,
  known: OffsetVector | undefined,
): Promise<Resolved> {
  const wanted = parseTarget(to)
  try {
    const log = await openLog()
    const now = await topicNow(log, topic)
    if (!now) throw noTopic(topic, log.kind)
    const range = rangeOf(now, topic, partition)
    const { earliest, latest } = range
    const at = typeof wanted === 'object' ? await log.offsetsAt(topic, wanted.micros) : undefined
    const next = at ? (at.get(partition) ?? latest) : typeof wanted === 'number' ? wanted : range[wanted as 'earliest']
    if (next < earliest || next > latest) throw outOfRange(topic, partition, next, range)
    return { life: { cluster: now.cluster, epoch: now.epoch }, next, ranges: now.ranges }
  } catch (error) {
    if (!isAway(error)) throw error
    const life = known?.find(own => own.topic === topic)
    if (typeof wanted === 'number' && life) {
      return { life: { cluster: life.cluster, epoch: life.epoch }, next: wanted, ranges: [] }
    }
    throw logNeeded(error, typeof wanted === 'number')
  }
}

function noTopic(topic: string, kind: LogView['kind']): Failure {
  const where = kind === 'kafka' ? '' : ' It is the log embedded in K2, which is there while K2 runs (`k2 serve`).'
  return new Failure('NOT_FOUND', `The log has no topic ${topic}.${where} Nothing was changed.`)
}

const UTC = { instantOf: (micros: number) => micros }

function parseTarget(to: string): number | 'earliest' | 'latest' | { micros: number } {
  if (to === 'earliest' || to === 'latest') return to
  if (/^\d{1,16}$/.test(to) && Number.isSafeInteger(Number(to))) return Number(to)
  try {
    if (!/^\d{4}-/.test(to)) throw new BadValue('is no time')
    return { micros: parseInstant(Buffer.from(to), 0, to.length, UTC) }
  } catch (error) {
    if (!(error instanceof BadValue)) throw error
    throw new Failure(
      'INVALID_INPUT',
      `${JSON.stringify(to)} says no place in a log: give earliest, latest, an offset, or a time such as 2014-03-10T10:00. Nothing was changed.`,
    )
  }
}

function rangeOf({ ranges }: TopicNow, topic: string, partition: number) {
  const range = ranges.find(one => one.partition === partition)
  if (range) return range
  const held = ranges.length === 1 ? '1 partition' : `${ranges.length} partitions`
  throw new Failure('NOT_FOUND', `Topic ${topic} has ${held}, and no ${partition}. Nothing was changed.`)
}

function outOfRange(
  topic: string,
  partition: number,
  next: number,
  range: { earliest: number; latest: number },
): Failure {
  const { earliest, latest } = range
  return new Failure(
    'OFFSET_OUT_OF_RANGE',
    `The log holds partition ${partition} of ${topic} from ${earliest} up to ${latest}; ${next} is not in there. Nothing was changed.`,
    { details: { topic, partition, offset: next, earliest, latest } },
  )
}

function logNeeded(cause: unknown, isOffset: boolean): Failure {
  const why = isOffset
    ? 'and without it nothing says whose offset this is, as the table does not know the topic'
    : 'and only it knows which offset that is: give an offset, or try again when it is back'
  return new Failure('UNAVAILABLE', `The log cannot be asked, ${why}. Nothing was changed.`, { cause })
}
