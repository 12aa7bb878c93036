// Partition transforms: from a column's value to a partition's. Days, hours and the like are counted from 1970 and go
// down for times before it.
import { Failure } from '../../../contract/failure.ts'
import { murmur3, murmur3OfLong } from './murmur3.ts'
import { primitiveOf, type PrimitiveKind } from './primitive.ts'
import type { PrimitiveType, Value } from './schema.ts'
import { asBuffer, encodeUnscaled } from './single-value.ts'

export type TransformKind = 'identity' | 'void' | 'bucket' | 'truncate' | 'year' | 'month' | 'day' | 'hour' | 'unknown'

export interface Transform {
  kind: TransformKind
  /** Buckets of `bucket`, width of `truncate`. */
  width?: number
  /** Nulls stay null. INVALID_INPUT for an unknown transform, and for a type it is not defined for. */
  apply: (type: PrimitiveType, value: Value | null) => Value | null
  resultType: (type: PrimitiveType) => PrimitiveType
  /** a ≤ b makes apply(a) ≤ apply(b). */
  preservesOrder: boolean
}

const MICROS_PER_HOUR = 3_600_000_000n
const MICROS_PER_DAY = 24n * MICROS_PER_HOUR
const known = new Map<string, Transform>()

/** A text that is no transform known here gives one of kind `unknown`: a reader must not prune by it. */
export function transformOf(text: string): Transform {
  let transform = known.get(text)
  if (!transform) {
    transform = parsed(text)
    if (known.size < 1000) known.set(text, transform)
  }
  return transform
}

function parsed(text: string): Transform {
  const sized = /^(bucket|truncate)\[([1-9]\d{0,8})\]$/.exec(text)
  if (sized?.[1] === 'bucket') return bucket(Number(sized[2]))
  if (sized) return truncate(Number(sized[2]))
  switch (text) {
    case 'identity':
      return { kind: text, apply: (_, value) => value, resultType: type => type, preservesOrder: true }
    case 'void':
      return { kind: text, apply: () => null, resultType: type => type, preservesOrder: false }
    case 'year':
    case 'month':
    case 'day':
      return ofTime(text, type => (primitiveOf(type)?.kind === 'date' ? undefined : MICROS_PER_DAY))
    case 'hour':
      return ofTime(text, () => MICROS_PER_HOUR)
    default:
      return {
        kind: 'unknown',
        apply: () => {
          throw new Failure('INVALID_INPUT', `K2 does not know the partition transform ${text}; nothing was done.`)
        },
        resultType: () => 'string',
        preservesOrder: false,
      }
  }
}

function bucket(width: number): Transform {
  return {
    kind: 'bucket',
    width,
    apply: (type, value) => (value === null ? null : bucketOf(type, value, width)),
    resultType: () => 'int',
    preservesOrder: false,
  }
}

/** Which of `count` buckets a value is in. */
export function bucketOf(type: PrimitiveType, value: Value, count: number): number {
  return (hashOf(type, value) & 0x7fffffff) % count
}

/** The hash of Appendix B: int and date hash as the long of the same number, so that a promotion keeps buckets. */
export function hashOf(type: PrimitiveType, value: Value): number {
  switch (primitiveOf(type)?.kind) {
    case 'int':
    case 'date':
      return murmur3OfLong(value as number, (value as number) < 0 ? -1 : 0)
    case 'long':
    case 'time':
    case 'timestamp':
    case 'timestamptz': {
      const long = BigInt(value as bigint)
      return murmur3OfLong(Number(BigInt.asIntN(32, long)), Number(BigInt.asIntN(32, long >> 32n)))
    }
    case 'decimal':
      return murmur3(encodeUnscaled(value as bigint))
    case 'string':
      return murmur3(Buffer.from(value as string))
    case 'uuid':
    case 'fixed':
    case 'binary':
      return murmur3(value as Uint8Array)
    default:
      throw undefinedFor('bucket', type)
  }
}

function truncate(width: number): Transform {
  return {
    kind: 'truncate',
    width,
    apply: (type, value) => (value === null ? null : truncated(type, value, width)),
    resultType: type => type,
    preservesOrder: true,
  }
}

function truncated(type: PrimitiveType, value: Value, width: number): Value {
  switch (primitiveOf(type)?.kind) {
    case 'int': {
      const number = value as number
      return number - floorRest(number, width)
    }
    case 'long':
    case 'decimal': {
      const number = BigInt(value as bigint)
      const rest = number % BigInt(width)
      return number - (rest < 0n ? rest + BigInt(width) : rest)
    }
    case 'string': {
      const text = value as string
      return text.length <= width ? text : [...text.slice(0, 2 * width)].slice(0, width).join('')
    }
    case 'binary':
      return asBuffer(value as Uint8Array).subarray(0, width)
    default:
      throw undefinedFor(`truncate[${width}]`, type)
  }
}

function floorRest(number: number, width: number): number {
  const rest = number % width
  return rest < 0 ? rest + width : rest
}

const timeKinds: Record<'year' | 'month' | 'day' | 'hour', ReadonlySet<PrimitiveKind | undefined>> = {
  year: new Set(['date', 'timestamp', 'timestamptz']),
  month: new Set(['date', 'timestamp', 'timestamptz']),
  day: new Set(['date', 'timestamp', 'timestamptz']),
  hour: new Set(['timestamp', 'timestamptz']),
}

/** `unitOf` is what microseconds are divided by first; without it the value is in days already. */
function ofTime(
  kind: 'year' | 'month' | 'day' | 'hour',
  unitOf: (type: PrimitiveType) => bigint | undefined,
): Transform {
  return {
    kind,
    apply: (type, value) => {
      if (value === null) return null
      if (!timeKinds[kind].has(primitiveOf(type)?.kind)) throw undefinedFor(kind, type)
      const unit = unitOf(type)
      const units = unit === undefined ? (value as number) : floorDivided(BigInt(value as bigint), unit)
      return kind === 'year' || kind === 'month' ? monthsOrYears(kind, units) : units
    },
    // By the specification `day` is an int; writers store it as a date, which is the same number.
    resultType: () => (kind === 'day' ? 'date' : 'int'),
    preservesOrder: true,
  }
}

/** By arithmetic: a Date ends 270,000 years from now, which a date column does not. */
function monthsOrYears(kind: 'year' | 'month', days: number): number {
  // Years that begin in March have their odd day last; 400 of them are always 146,097 days.
  const sinceEra = days + 719_468
  const era = Math.floor(sinceEra / 146_097)
  const dayOfEra = sinceEra - era * 146_097
  const leapDays = Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096)
  const yearOfEra = Math.floor((dayOfEra - leapDays) / 365)
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const monthsFromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const months = (era * 400 + yearOfEra - 1970) * 12 + monthsFromMarch + 2
  return kind === 'month' ? months : Math.floor(months / 12)
}

function floorDivided(value: bigint, unit: bigint): number {
  const quotient = value / unit
  return Number(value % unit < 0n ? quotient - 1n : quotient)
}

function undefinedFor(transform: string, type: PrimitiveType): Failure {
  return new Failure(
    'INVALID_INPUT',
    `The partition transform ${transform} is not defined for ${type}; nothing was done.`,
  )
}
