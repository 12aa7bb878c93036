// Which topics of the log go into which table: those that are named, or all whose whole name matches.
import type { TopicInfo } from '../log/message-log.ts'
import { topicPattern } from '../market/topic-pattern.ts'
import { DATA_TYPES, parseTopic, type DataType } from '../market/topics.ts'
import { Failure } from '../../contract/failure.ts'

export interface TopicChoice {
  topics: readonly string[]
  /** Instead of names; a regular expression for whole names. */
  pattern?: string
}

export interface ChosenTopics {
  byTable: ReadonlyMap<DataType, readonly TopicInfo[]>
  /** Named, and not there yet. */
  missing: readonly string[]
}

/** The name says what is in a topic, so one of another form is refused before anything of it is read. */
export function checkTopicChoice({ topics, pattern }: TopicChoice): void {
  wholeNames(pattern)
  const [odd] = topics.filter(name => !parseTopic(name))
  if (odd === undefined) return
  const forms = `market.ASSET_CLASS.TYPE.EXCHANGE, TYPE being ${DATA_TYPES.join(', ')}`
  throw new Failure(
    'INVALID_INPUT',
    `Topic ${odd} has no name that tells what is in it; K2 writes topics called ${forms}.`,
  )
}

/** Of what a pattern matches, topics that hold no market data are left alone. */
export function chooseTopics({ topics, pattern }: TopicChoice, there: readonly TopicInfo[]): ChosenTopics {
  const whole = wholeNames(pattern)
  const named = new Set(topics)
  const byTable = new Map<DataType, TopicInfo[]>()
  for (const info of there) {
    if (whole ? !whole.test(info.name) : !named.has(info.name)) continue
    const table = parseTopic(info.name)?.dataType
    if (table) byTable.set(table, [...(byTable.get(table) ?? []), info])
  }
  const known = new Set(there.map(({ name }) => name))
  return { byTable, missing: whole ? [] : topics.filter(name => !known.has(name)) }
}

const wholeNames = (pattern: string | undefined) => (pattern === undefined ? undefined : topicPattern(pattern))
