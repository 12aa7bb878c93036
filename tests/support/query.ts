// The parts that queries are made with, over a lake of a test.
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Lake } from '../../src/main/lake/lake.ts'
import { lakeReads, type LakeReads } from '../../src/main/lake/reads.ts'
import type { SeenIn } from '../../src/main/query/moments.ts'
import { openPool, type QueryPool } from '../../src/main/query/pool.ts'
import { makeTempFolder } from './temp-folder.ts'

export async function queryParts(lake: Lake): Promise<{ reads: LakeReads; pool: QueryPool }> {
  const tempFolder = join(makeTempFolder(), 'spill')
  const pool = await openPool({ size: 3, timeoutMs: 30_000, memoryMb: 256, tempFolder })
  onTestFinished(() => pool.close())
  return { reads: lakeReads(lake), pool }
}

/** For handlers that are asked nothing in a replay session. */
export const noSession: SeenIn = () => () => {
  throw new Error('no replay session')
}
