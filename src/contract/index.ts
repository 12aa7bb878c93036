// The whole surface, by capability name.
import { asofContract } from './asof.ts'
import { barsContract } from './bars.ts'
import { demo } from './demo.ts'
import { exports } from './export.ts'
import { ingest } from './ingest.ts'
import { lake } from './lake.ts'
import { market } from './market.ts'
import { offsets } from './offsets.ts'
import { reads } from './reads.ts'
import { receipts } from './receipts.ts'
import { replaySessions } from './replay-sessions.ts'
import { replay } from './replay.ts'
import { results } from './results.ts'
import { sql } from './sql.ts'
import { system } from './system.ts'
import { topics } from './topics.ts'
import { writer } from './writer.ts'

export const contract = {
  ...system,
  ...market,
  ...reads,
  ...receipts,
  ...barsContract,
  ...asofContract,
  ...sql,
  ...results,
  ...exports,
  ...lake,
  ...ingest,
  ...writer,
  ...offsets,
  ...topics,
  ...demo,
  ...replay,
  ...replaySessions,
}
export type K2 = typeof contract

export type * from './capability.ts'
