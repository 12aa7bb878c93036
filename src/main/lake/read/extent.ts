// What is known of the values of one column in each of many files: where they lie on the line, and whether there are
// nulls. A partition's value, a manifest's summary and a file's bounds are all told in this form, and tested by one loop.
import type { DataFile, ManifestFile } from '../iceberg/data-file.ts'
import type { Value } from '../iceberg/schema.ts'
import { atLeast, atMost, boundPoint, bytesOf, pointOf, type Kind } from './coordinates.ts'
import type { ValueRange } from './bind-filter.ts'

export interface Extent {
  /** Where nothing is known -∞ and ∞; NaN where no value can pass a comparison: all null, all NaN. */
  lower: Float64Array
  upper: Float64Array
  mayHoldNull: Uint8Array
  mayHoldValue: Uint8Array
  /** The whole bounds, where points hold only the first bytes of text. */
  lowerBytes?: (Uint8Array | undefined)[]
  upperBytes?: (Uint8Array | undefined)[]
}

export type Extents = Map<number, { kind: Kind | undefined; extent: Extent }[]>

export function kept(extents: Extents, of: number, kind: Kind | undefined): Extent | undefined {
  return extents.get(of)?.find(each => each.kind === kind)?.extent
}

export function keep(extents: Extents, of: number, kind: Kind | undefined, extent: Extent): Extent {
  extents.set(of, [...(extents.get(of) ?? []), { kind, extent }])
  return extent
}

export type Test = { op: 'null' | 'value' } | RangeTest

/** Ranges whose ends rise: one, or several single values. */
interface RangeTest {
  op: 'within'
  lows: Float64Array
  highs: Float64Array
  /** The ends in full, where points hold only the first bytes. */
  ends?: readonly { from?: Uint8Array; to?: Uint8Array }[]
}

export function rangeTest(ranges: readonly ValueRange[], kind: Kind): Test {
  const sorted = ranges
    .map(({ from, to }) => ({
      low: from === undefined ? -Infinity : atMost(pointOf(from)),
      high: to === undefined ? Infinity : atLeast(pointOf(to)),
      from: endOf(from, kind),
      to: endOf(to, kind),
    }))
    .sort((a, b) => a.low - b.low || a.high - b.high)
    // Many symbols are in few buckets.
    .filter(
      (range, i, all) => kind === 'bytes' || i === 0 || range.low !== all[i - 1].low || range.high !== all[i - 1].high,
    )
  const lows = Float64Array.from(sorted, range => range.low)
  const highs = Float64Array.from(sorted, range => range.high)
  return { op: 'within', lows, highs, ...(kind === 'bytes' && { ends: sorted }) }
}

function endOf(value: Value | undefined, kind: Kind): Uint8Array | undefined {
  return value === undefined || kind !== 'bytes' ? undefined : bytesOf(value)
}

export function emptyExtent(count: number, kind: Kind | undefined): Extent {
  return {
    lower: new Float64Array(count).fill(-Infinity),
    upper: new Float64Array(count).fill(Infinity),
    mayHoldNull: new Uint8Array(count).fill(1),
    mayHoldValue: new Uint8Array(count).fill(1),
    ...(kind === 'bytes' && { lowerBytes: new Array<undefined>(count), upperBytes: new Array<undefined>(count) }),
  }
}

/** Marks a file whose values cannot pass any comparison. */
function passNone(extent: Extent, i: number): void {
  extent.lower[i] = extent.upper[i] = NaN
}

/** Bounds. Counts only where those are missing: looking them up takes as long again. */
export function columnExtent(files: readonly DataFile[], fieldId: number, kind: Kind): Extent {
  const extent = emptyExtent(files.length, kind)
  for (let i = 0; i < files.length; i++) {
    const { recordCount, nullCounts, nanCounts, lowerBounds, upperBounds } = files[i]
    const lower = lowerBounds?.get(fieldId)
    const upper = upperBounds?.get(fieldId)
    noteLower(extent, i, lower, kind)
    noteUpper(extent, i, upper, kind)
    if (lower && upper) continue
    const nulls = nullCounts?.get(fieldId)
    const nans = kind === 'float' ? (nanCounts?.get(fieldId) ?? 0) : 0
    if (nulls !== undefined && nulls + nans >= recordCount) passNone(extent, i)
  }
  return extent
}

/** Whether there are nulls, by the counts of a column that is no list or map: theirs are of their elements. */
export function nullsExtent(files: readonly DataFile[], fieldId: number): Extent {
  const extent = emptyExtent(files.length, undefined)
  for (let i = 0; i < files.length; i++) {
    const nulls = files[i].nullCounts?.get(fieldId)
    if (nulls === 0) extent.mayHoldNull[i] = 0
    if (nulls !== undefined && nulls >= files[i].recordCount) extent.mayHoldValue[i] = 0
  }
  return extent
}

export function partitionExtent(files: readonly DataFile[], position: number, kind: Kind): Extent {
  const extent = emptyExtent(files.length, kind)
  for (let i = 0; i < files.length; i++) notePartition(extent, i, files[i].partition[position], kind)
  return extent
}

function notePartition(extent: Extent, i: number, value: Value | null | undefined, kind: Kind): void {
  if (value === undefined) return
  const isNull = value === null
  extent.mayHoldNull[i] = Number(isNull)
  extent.mayHoldValue[i] = Number(!isNull)
  if (isNull || Number.isNaN(value)) return passNone(extent, i)
  const point = pointOf(value)
  extent.lower[i] = atMost(point)
  extent.upper[i] = atLeast(point)
  if (kind === 'bytes') extent.lowerBytes![i] = extent.upperBytes![i] = bytesOf(value)
}

/** Of manifests, as their list sums them up. A bound that is left out may be one that nobody wrote. */
export function summaryExtent(manifests: readonly ManifestFile[], position: number, kind: Kind): Extent {
  const extent = emptyExtent(manifests.length, kind)
  for (let i = 0; i < manifests.length; i++) {
    const summary = manifests[i].partitions?.[position]
    if (!summary) continue
    extent.mayHoldNull[i] = Number(summary.containsNull)
    noteLower(extent, i, summary.lowerBound, kind)
    noteUpper(extent, i, summary.upperBound, kind)
  }
  return extent
}

function noteLower(extent: Extent, i: number, bound: Uint8Array | undefined, kind: Kind): void {
  const point = bound ? boundPoint(bound, kind) : NaN
  if (Number.isNaN(point)) return
  extent.lower[i] = atMost(point)
  if (extent.lowerBytes) extent.lowerBytes[i] = bound
}

function noteUpper(extent: Extent, i: number, bound: Uint8Array | undefined, kind: Kind): void {
  const point = bound ? boundPoint(bound, kind) : NaN
  if (Number.isNaN(point)) return
  extent.upper[i] = atLeast(point)
  if (extent.upperBytes) extent.upperBytes[i] = bound
}

/** Clears `passing` where no row can pass. */
export function narrow(passing: Uint8Array, extent: Extent, test: Test): void {
  if (test.op === 'within') return narrowToRanges(passing, extent, test)
  const may = test.op === 'null' ? extent.mayHoldNull : extent.mayHoldValue
  for (let i = 0; i < passing.length; i++) passing[i] &= may[i]
}

function narrowToRanges(passing: Uint8Array, extent: Extent, test: RangeTest): void {
  const { lows, highs } = test
  const { lower, upper } = extent
  if (lows.length === 1) {
    const low = lows[0]
    const high = highs[0]
    for (let i = 0; i < passing.length; i++) if (!(upper[i] >= low && lower[i] <= high)) passing[i] = 0
  } else {
    for (let i = 0; i < passing.length; i++) {
      const first = firstFrom(highs, lower[i])
      if (!(first < lows.length && lows[first] <= upper[i])) passing[i] = 0
    }
  }
  if (!test.ends || !extent.lowerBytes) return
  for (let i = 0; i < passing.length; i++) if (passing[i] && !meetsInFull(extent, i, test)) passing[i] = 0
}

/** The first of rising numbers that is at least so much. */
function firstFrom(numbers: Float64Array, least: number): number {
  let from = 0
  for (let to = numbers.length; from < to;) {
    const middle = (from + to) >>> 1
    if (numbers[middle] < least) from = middle + 1
    else to = middle
  }
  return from
}

/** Points meet: whether whole texts do. Only where points are equal need those be compared. */
function meetsInFull(extent: Extent, i: number, { lows, highs, ends }: RangeTest): boolean {
  const lower = extent.lower[i]
  const upper = extent.upper[i]
  const lowerBytes = extent.lowerBytes![i]
  const upperBytes = extent.upperBytes![i]
  for (let k = firstFrom(highs, lower); k < lows.length && lows[k] <= upper; k++) {
    const { from, to } = ends![k]
    const isAbove = highs[k] > lower || !to || !lowerBytes || Buffer.compare(lowerBytes, to) <= 0
    const isBelow = lows[k] < upper || !from || !upperBytes || Buffer.compare(upperBytes, from) >= 0
    if (isAbove && isBelow) return true
  }
  return false
}
