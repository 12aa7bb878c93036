// What a hybrid answer is asked for: the newest rows of a span of time, of some instruments or of all.
import type { TailTable } from '../../../contract/tables.ts'

export interface HybridQuestion {
  table: TailTable
  /** All when left out. */
  symbols?: readonly string[]
  /** In any case. */
  exchange?: string
  /** By exchange time, microseconds since 1970: from … to, the end not included; infinite for no beginning. */
  sinceMicros: number
  untilMicros?: number
  /** The newest rows win. */
  limit: number
}
