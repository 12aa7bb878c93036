// Kinds of settings that say how much and how long: memory, snapshot retention, symbol tiers.
import { z } from 'zod'
import { readTotalMemoryMb } from '../base/memory.ts'
import { understood, type Kind } from './kinds.ts'

const MB_PER_UNIT: Readonly<Record<string, number>> = { mb: 1, gb: 1000, mib: 1.048576, gib: 1073.741824 }

/** In megabytes; a share is of this machine's memory, or of what its container is allowed. */
export const memory: Kind<number> = understood(
  'a size such as 512MB or 2GB, or a share of memory such as 25%',
  given => {
    const [, digits, unit] = /^(\d{1,6}(?:\.\d+)?)\s*(%|[mg]i?b)$/i.exec(given) ?? []
    if (!digits) return undefined
    const mb =
      unit === '%' ? (Number(digits) / 100) * readTotalMemoryMb() : Number(digits) * MB_PER_UNIT[unit.toLowerCase()]
    const usable = unit === '%' ? Number(digits) <= 100 && mb >= 1 : mb >= 16
    return usable ? Math.floor(mb) : undefined
  },
)

/** Of the snapshots younger than `forMs`, one every `everyMs` is kept (0: each one); `most` at most in all. Tags stay for good. */
export interface SnapshotRetention {
  keep: { everyMs: number; forMs: number }[]
  most: number
}

const MS_PER_UNIT: Readonly<Record<string, number>> = { s: 1e3, m: 60e3, h: 3600e3, d: 86_400e3 }

export const snapshotRetention: Kind<SnapshotRetention> = understood(
  'steps of every:for, then max:count, such as all:1h,1m:1d,1d:90d,max:2000 (units s, m, h, d)',
  given => {
    const steps = given.split(',').map(step => step.trim().split(':'))
    const most = Number(steps.at(-1)?.[0] === 'max' ? steps.pop()![1] : 2000)
    const keep = steps.map(([every, how]) => ({ everyMs: every === 'all' ? 0 : spanMs(every), forMs: spanMs(how) }))
    const grows = keep.every(
      ({ everyMs, forMs }, i) => i === 0 || (everyMs > keep[i - 1].everyMs && forMs > keep[i - 1].forMs),
    )
    const valid = keep.length > 0 && keep.every(({ everyMs, forMs }) => everyMs >= 0 && forMs > 0) && grows
    return valid && steps.every(step => step.length === 2) && Number.isInteger(most) && most >= 1
      ? { keep, most }
      : undefined
  },
)

/** NaN for what is not a span. */
function spanMs(text = ''): number {
  const [, digits, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  return Number(digits) * MS_PER_UNIT[unit]
}

/** Which symbols are shed last under load: the first tier is the most important, symbols in none form the last one. */
export type SymbolTiers = { by: 'volume'; sizes: number[] } | { by: 'list'; tiers: string[][] }

const symbols = z.array(z.string().min(1).max(64))
const tierLists = z.union([z.array(symbols), z.record(z.string(), symbols).transform(record => Object.values(record))])

export const symbolTiers: Kind<SymbolTiers> = understood(
  'sizes of the top tiers by 24 h volume such as 20,100, or a JSON of lists such as [["BHP","RIO"],["CBA"]]',
  given => {
    if (/^\d{1,6}(\s*,\s*\d{1,6})*$/.test(given)) return { by: 'volume', sizes: given.split(',').map(Number) }
    try {
      const lists = tierLists.safeParse(JSON.parse(given))
      return lists.success ? { by: 'list', tiers: lists.data } : undefined
    } catch {
      return undefined
    }
  },
)
