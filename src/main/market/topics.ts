// The name of a topic says what is in it: market.{asset_class}.{data_type}.{exchange}, in lower case.
import { Failure } from '../../contract/failure.ts'
import { ASSET_CLASSES, type AssetClass } from '../../contract/tables.ts'

export const DATA_TYPES = ['trades', 'quotes', 'reference_data'] as const
export type DataType = (typeof DATA_TYPES)[number]

export interface TopicParts {
  assetClass: AssetClass
  dataType: DataType
  /** Upper case, as rows carry it. */
  exchange: string
}

export function topicOf(assetClass: AssetClass, dataType: DataType, exchange: string): string {
  return `market.${assetClass}.${dataType}.${exchange.toLowerCase()}`
}

/** Nothing for a name of another form; an exchange may contain dots, as it comes last. */
export function parseTopic(name: string): TopicParts | undefined {
  const [, assetClass, dataType, exchange] = /^market\.([^.]+)\.([^.]+)\.(.+)$/.exec(name) ?? []
  if (!isOneOf(ASSET_CLASSES, assetClass) || !isOneOf(DATA_TYPES, dataType)) return undefined
  return { assetClass, dataType, exchange: exchange.toUpperCase() }
}

/** What a topic's messages are rows of. To be asked when a topic is opened: one of another name is refused, not each message. */
export function tableOfTopic(name: string): DataType {
  return partsOfTopic(name).dataType
}

export function partsOfTopic(name: string): TopicParts {
  const parts = parseTopic(name)
  if (parts) return parts
  const classes = ASSET_CLASSES.join(', ')
  const message =
    `K2 cannot tell what is in topic ${name}: it reads topics named market.{asset_class}.{data_type}.{exchange}, ` +
    `with asset_class one of ${classes} and data_type one of ${DATA_TYPES.join(', ')}. Check K2_TOPICS and K2_TOPIC_PATTERN.`
  throw new Failure('INVALID_INPUT', message)
}

function isOneOf<T extends string>(values: readonly T[], value: string | undefined): value is T {
  return (values as readonly (string | undefined)[]).includes(value)
}
