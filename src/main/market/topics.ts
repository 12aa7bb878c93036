// The name of a topic says what is in it: market.{asset_class}.{data_type}.{exchange}, in lower case.
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

function isOneOf<T extends string>(values: readonly T[], value: string | undefined): value is T {
  return (values as readonly (string | undefined)[]).includes(value)
}
