// What Arrow's types are to us, and what they are called.
import { DataType, Precision, type Field } from 'apache-arrow'
import type { SourceField, SourceKind } from './source-columns.ts'

export function arrowField({ name, type }: Field<DataType>): SourceField {
  // A field may have no name, which its declaration does not say.
  return { name: name ?? '', typeName: nameOf(type), kind: kindOf(type) }
}

/** Arrow's types describe themselves, which their declarations do not say. */
function nameOf(type: { toString: () => string }): string {
  return type.toString()
}

export function kindOf(type: DataType): SourceKind {
  if (DataType.isDictionary(type)) return kindOf(type.dictionary as DataType)
  if (isText(type) || DataType.isNull(type)) return 'text'
  if (DataType.isInt(type)) return 'whole'
  if (DataType.isFloat(type)) return type.precision === Precision.HALF ? 'other' : 'double'
  if (DataType.isDecimal(type))
    return type.scale >= 0 && [32, 64, 128, 256].includes(type.bitWidth) ? 'decimal' : 'other'
  if (DataType.isBool(type)) return 'boolean'
  if (DataType.isDate(type)) return 'date'
  if (DataType.isTimestamp(type)) return type.timezone ? 'instant' : 'wall'
  if (isList(type) && isText(itemOf(type))) return 'list'
  if (DataType.isMap(type) && isText(type.keyType as DataType) && isText(type.valueType as DataType)) return 'map'
  return 'other'
}

function isText(type: DataType): boolean {
  return DataType.isUtf8(type) || DataType.isLargeUtf8(type) || DataType.isUtf8View(type)
}

function isList(type: DataType): boolean {
  return DataType.isList(type) || DataType.isLargeList(type) || DataType.isFixedSizeList(type)
}

function itemOf(type: DataType): DataType {
  return type.children[0].type as DataType
}

export function isSingle(type: DataType): boolean {
  return DataType.isFloat(type) && type.precision === Precision.SINGLE
}
