// How bad a gap is, by how many messages are missing.
import type { GapSeverity } from '../intake.ts'

const MAJOR_FROM = 10n
const CRITICAL_ABOVE = 100n

export function severityOf(missing: bigint): GapSeverity {
  if (missing < MAJOR_FROM) return 'minor'
  return missing > CRITICAL_ABOVE ? 'critical' : 'major'
}
