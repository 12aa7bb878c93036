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

type Row = Record<string, RowValue>
type ReadColumn = (draft: Draft) => RowValue

const DAY = 86_400e6
const EXCHANGE = /^[A-Za-z0-9._-]{1,32}$/
const WORDS: Readonly<Record<string, ReadonlyMap<string, string>>> = {
  asset_class: new Map(ASSET_CLASSES.map(word => [word.toUpperCase(), word])),
  side: new Map([...SIDES.map(word => [word, word] as const), ['B', 'BUY'], ['S', 'SELL'], ['SS', 'SELL_SHORT']]),
}

/** The row is used again for the next message. */
export function createCompleter({ table, names, slotOf, ...rest }: SlotNames): (draft: Draft, place: Place) => Row {
  const columns = table.columns.filter(isOfMessage).map(spec => {
    const slot = slotOf.get(spec.name)!
    return { spec, slot, read: readerOf(spec, slot), millis: slotOf.get(millisOf(spec.name)) ?? -1 }
  })
  const needed = rest.needed.map(alternatives => alternatives.map(name => slotOf.get(name)!))
  const row: Row = Object.fromEntries(names.map(name => [name, null]))
  const idName = table.columns[1].name

  return function complete(draft, place) {
    for (const { spec, slot, read, millis } of columns) {
      if (hasValue(draft, slot)) row[spec.name] = read(draft)
      else if (millis >= 0 && hasValue(draft, millis)) row[spec.name] = microsOfMillis(draft, millis)
      else row[spec.name] = undefined
    }
    const { topic, partition, offset, logMicros, key } = place
    const exchange = exchangeNameOf(row.exchange as string | undefined) ?? topic.exchange
    row.exchange = exchange
    row.asset_class ??= topic.assetClass
    row.currency ??= exchangeOf(exchange).currency
    row.ingestion_timestamp ??= logMicros
    if (table.name === 'reference_data') {
      row.company_id ??= key?.toString('utf8')
      row.is_active ??= !((row.delisting_date as number) < Math.floor(logMicros / DAY))
    } else row[idName] ??= `${partition}-${offset}`
    for (const slots of needed)
      if (!slots.some(slot => draft.found[slot] !== FOUND.absent)) missing(slots.map(slot => names[slot]))
    for (const { spec } of columns)
      if (spec.required && row[spec.name] === undefined && spec.name !== 'message_id') missing([spec.name])
    const id = row[idName] as string
    row.message_id ??=
      table.name === 'reference_data'
        ? `${exchange}:${id}:${partition}-${offset}`
        : messageIdOf(exchange, row.exchange_timestamp as number, row.symbol as string, id)
    row.vendor_data = withMore(draft, row.vendor_data as Record<string, string> | undefined)
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
