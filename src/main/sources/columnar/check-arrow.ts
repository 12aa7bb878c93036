// Whether a record batch's buffers hold what its header says. Arrow's reader believes the header: a flipped bit would
// otherwise be read as millions of rows that are not there.
import { DataType, type Data } from 'apache-arrow'

/** Throws for the first thing that cannot be. */
export function checkArrow(data: Data<DataType>): void {
  const { type, length, offset } = data
  const nullBitmap = data.nullBitmap as Uint8Array | null | undefined
  require(Number.isInteger(length) && length >= 0, type)
  if (DataType.isNull(type)) return
  if (nullBitmap && nullBitmap.length > 0) require(nullBitmap.length * 8 >= offset + length, type)
  const offsets = data.valueOffsets as Int32Array | BigInt64Array | undefined
  if (hasOffsets(type)) checkOffsets(offsets!, length, contentLength(data), type)
  else if (DataType.isBool(type)) require((data.values as Uint8Array).length * 8 >= offset + length, type)
  else if (DataType.isFixedSizeList(type)) require(data.children[0].length >= length * type.listSize, type)
  else if (isFixed(type)) require((data.values as Uint8Array).length >= length * data.stride, type)
  if (DataType.isDictionary(type)) checkCodes(data)
  for (const child of data.children) {
    if (DataType.isStruct(type)) require(child.length >= length, type)
    checkArrow(child)
  }
}

function require(holds: boolean, type: { toString: () => string }): asserts holds {
  if (!holds) throw new Error(`a column of ${type.toString()} does not hold what its header says`)
}

function hasOffsets(type: DataType): boolean {
  return (
    DataType.isUtf8(type) ||
    DataType.isLargeUtf8(type) ||
    DataType.isBinary(type) ||
    DataType.isLargeBinary(type) ||
    DataType.isList(type) ||
    DataType.isLargeList(type) ||
    DataType.isMap(type)
  )
}

function isFixed(type: DataType): boolean {
  return !(
    DataType.isStruct(type) ||
    DataType.isUnion(type) ||
    DataType.isUtf8View(type) ||
    DataType.isBinaryView(type)
  )
}

function contentLength({ children, values }: Data<DataType>): number {
  return children.length > 0 ? children[0].length : (values as Uint8Array).length
}

function checkOffsets(offsets: Int32Array | BigInt64Array, length: number, content: number, type: DataType): void {
  if (length === 0) return
  require(offsets.length > length, type)
  let last = Number(offsets[0])
  require(last >= 0, type)
  for (let i = 1; i <= length; i++) {
    const next = Number(offsets[i])
    require(next >= last, type)
    last = next
  }
  require(last <= content, type)
}

function checkCodes(data: Data<DataType>): void {
  const entries = data.dictionary!.length
  const codes = data.values as Int32Array
  for (let row = 0; row < data.length; row++)
    if (data.getValid(row)) require(Number(codes[row]) >= 0 && Number(codes[row]) < entries, data.type)
  for (const part of data.dictionary!.data) checkArrow(part as Data<DataType>)
}
