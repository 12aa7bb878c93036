// Looks at the tables now and then, whoever writes them: how far the log is in each, for the tail.
import { setTimeout as sleep } from 'node:timers/promises'
import { TAIL_TABLES, type TailTable } from '../../contract/tables.ts'
import type { Log } from '../base/log.ts'
import type { LakeHeads } from '../lake/heads.ts'
import type { OffsetVector } from '../market/topic-offsets.ts'

export interface FollowOptions {
  heads: LakeHeads
  onOffsets: (table: TailTable, vector: OffsetVector) => void
  log: Pick<Log, 'warn' | 'info'>
  everyMs?: number
}

/**
 * What this K2 writes itself it is told with each commit; this is for what others write. What is known five seconds later
 * lets the tail hold five seconds more. A table that has not changed costs a look at its row; measured, one that has costs
 * 1 ms with 50 snapshots, 7 with 1,000 and 11 with 2,000, as its metadata is read.
 */
const EVERY_MS = 5_000

export function followCommits({ heads, onOffsets, log, everyMs = EVERY_MS }: FollowOptions): {
  close: () => Promise<void>
} {
  const stopping = new AbortController()
  const { signal } = stopping
  let isFailing = false

  async function look(): Promise<void> {
    for (const table of Object.keys(TAIL_TABLES) as TailTable[]) {
      const vector = await heads.offsets(table, signal)
      onOffsets(table, vector ?? [])
    }
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      try {
        await look()
        if (isFailing) log.info('The tables can be looked at again')
        isFailing = false
      } catch (error) {
        if (!isFailing && !signal.aborted)
          log.warn('How far the tables are cannot be looked up; it is tried again', { error })
        isFailing = true
      }
      await sleep(everyMs, undefined, { signal }).catch(() => {})
    }
  }

  const running = run()
  return {
    async close() {
      stopping.abort()
      await running
    },
  }
}
