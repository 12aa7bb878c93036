// A draft as a whole row: what the message leaves out comes from its topic, the table of exchanges and its place in the log, so
// that it is the same row whenever and by whomever it is read.
//   exchange, asset_class, currency: the topic's and the exchange's · trade_id, quote_id: partition-offset ·
//   message_id: see message-id.ts · company_id: the message's key · is_active: until the last day · ingestion_timestamp: the log's
import { ASSET_CLASSES, SIDES, type ColumnSpec } from '../../../contract/tables.ts'
import { malformed } from '../decode-primitives.ts'
import type { RowValue } from '../encode-row.ts'
import { exchangeOf } from '../exchanges.ts'
import { messageIdOf } from '../message-id.ts'
import type { TopicParts } from '../topics.ts'
import { FOUND, hasValue, wordOf, type Draft } from './draft.ts'
import { isOfMessage, millisOf, type SlotNames } from './names.ts'
import {
  booleanOf,
  daysOf,
  decimalOf,
  entriesOf,
  itemsOf,
  longOf,
  microsOf,
  microsOfMillis,
  choiceOf,
  wrong,
} from './values.ts'

/** Where a message is, and what it need not say itself. */
export interface Place {
  topic: TopicParts
  partition: number
  offset: number
  logMicros: number
  key: Buffer | null
}

type ReadColumn = (draft: Draft) => RowValue

const DAY = 86_400e6
const EXCHANGE = /^[A-Za-z0-9._-]{1,32}$/
const WORDS: Readonly<Record<string, ReadonlyMap<string, string>>> = {
  asset_class: new Map(ASSET_CLASSES.map(word => [word.toUpperCase(), word])),
  side: new Map([...SIDES.map(word => [word, word] as const), ['B', 'BUY'], ['S', 'SELL'], ['SS', 'SELL_SHORT']]),
}

/** Values in the order of the columns; the row is used again for the next message. */
export function createCompleter(slots: SlotNames): (draft: Draft, place: Place) => readonly RowValue[] {
  const { table, names, slotOf } = slots
  const isReference = table.name === 'reference_data'
  const columns = table.columns.filter(isOfMessage).map((spec, at) => {
    const slot = slotOf.get(spec.name)!
    const { name, required } = spec
    return { at, name, required, slot, read: readerOf(spec, slot), millis: slotOf.get(millisOf(name)) ?? -1 }
  })
  const needed = slots.needed.map(alternatives => alternatives.map(name => slotOf.get(name)!))
  const row: RowValue[] = columns.map(() => undefined)
  const at = (name: string) => columns.findIndex(column => column.name === name)
  const [messageId, id, symbol, time] = [0, 1, at('symbol'), at('exchange_timestamp')]
  const [exchange, assetClass, currency] = [at('exchange'), at('asset_class'), at('currency')]
  const [ingested, vendorData] = [at('ingestion_timestamp'), at('vendor_data')]
  const [isActive, lastDay] = [at('is_active'), at('delisting_date')]

  return function complete(draft, place) {
    for (let i = 0; i < columns.length; i++) {
      const { slot, millis, read } = columns[i]
      if (hasValue(draft, slot)) row[i] = read(draft)
      else if (millis >= 0 && hasValue(draft, millis)) row[i] = microsOfMillis(draft, millis)
      else row[i] = undefined
    }
    const { topic, partition, offset, logMicros, key } = place
    const given = row[exchange] as string | undefined
    const exchangeName = exchangeNameOf(given) ?? topic.exchange
    row[exchange] = exchangeName
    row[assetClass] ??= topic.assetClass
    row[currency] ??= exchangeOf(exchangeName).currency
    row[ingested] ??= logMicros
    if (isReference) {
      row[id] ??= key?.toString('utf8')
      row[isActive] ??= !((row[lastDay] as number) < Math.floor(logMicros / DAY))
    } else row[id] ??= `${partition}-${offset}`
    for (const alternatives of needed)
      if (!alternatives.some(slot => draft.found[slot] !== FOUND.absent)) missing(alternatives.map(slot => names[slot]))
    for (const { name, required, at } of columns)
      if (required && row[at] === undefined && at !== messageId) missing([name])
    const ownId = row[id] as string
    const givenId = row[messageId] as string | undefined
    if (givenId?.startsWith(`${given}:`)) row[messageId] = exchangeName + givenId.slice(exchangeName.length)
    row[messageId] ??= isReference
      ? `${exchangeName}:${ownId}:${partition}-${offset}`
      : messageIdOf(exchangeName, row[time] as number, row[symbol] as string, ownId)
    row[vendorData] = withMore(draft, row[vendorData] as Record<string, string> | undefined)
    return row
  }
}

function readerOf({ name, type }: ColumnSpec, slot: number): ReadColumn {
  switch (type) {
    case 'enum':
      return draft => choiceOf(draft, slot, WORDS[name])
    case 'decimal':
      return draft => decimalOf(draft, slot)
    case 'long':
      return draft => longOf(draft, slot)
    case 'timestamp':
      return draft => microsOf(draft, slot)
    case 'date':
      return draft => daysOf(draft, slot)
    case 'boolean':
      return draft => booleanOf(draft, slot)
    case 'list':
      return draft => itemsOf(draft, slot)
    case 'map':
      return draft => entriesOf(draft, slot)
    default:
      return draft => textOf(draft, slot, name)
  }
}

function missing(names: readonly string[]): never {
  return malformed(`${names.join(' or ')} is missing, and every row needs one`, 'missing_field')
}

/** Ids may be numbers; a name is a text. */
function textOf(draft: Draft, slot: number, name: string): string {
  const found = draft.found[slot]
  if (found === FOUND.text) return wordOf(draft, slot)!
  if (name.endsWith('_id') && (found === FOUND.number || found === FOUND.whole)) return wordOf(draft, slot)!
  return wrong(draft, slot, 'is not a text')
}

function exchangeNameOf(text: string | undefined): string | undefined {
  if (text !== undefined && !EXCHANGE.test(text))
    malformed(`exchange ${JSON.stringify(text.slice(0, 60))} is not the name of an exchange`, 'invalid_value')
  return text?.toUpperCase()
}

/** What the message says beyond our columns is kept, as text; what vendor_data itself says goes first. */
function withMore(draft: Draft, given: Record<string, string> | undefined): Record<string, string> | undefined {
  if (draft.names.length === draft.known) return given
  const more = new Map<string, string>()
  for (let slot = draft.known; slot < draft.names.length; slot++) {
    const word = wordOf(draft, slot)
    if (word !== undefined) more.set(draft.names[slot], word)
  }
  if (more.size === 0) return given
  return { ...Object.fromEntries(more), ...given }
}
