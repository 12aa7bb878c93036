// Kills a process at every step of every kind of work, and looks at what it left.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../../src/main/base/clock.ts'
import { openLake, type Lake } from '../../src/main/lake/lake.ts'
import { killAndLookAgain, type Found, type Killed } from '../support/kill-lake-process.ts'
import { STEPS } from '../support/lake-process.ts'

const WORKS = ['append', 'compact', 'expire'] as const

export async function killRounds(rounds: number): Promise<number> {
  let failures = 0
  const counts = { runs: 0, landed: 0, withStrays: 0 }
  for (let round = 0; round < rounds; round++) {
    for (const killed of killings(round)) {
      const found = await killInFolder(killed)
      const wrong = complaintsOf(killed, found)
      counts.runs++
      if (found.strays.length > 0) counts.withStrays++
      if (found.rows.length === 30) counts.landed++
      for (const one of wrong) console.log(`round ${round}, ${killed.work} killed at ${killed.killAt}: ${one}`)
      failures += wrong.length
    }
    console.log(`kill: round ${round + 1} of ${rounds}, ${JSON.stringify(counts)}, ${failures} failures`)
  }
  return failures
}

/** An expiry writes no data; only one that removes files reaches that step. */
function killings(round: number): Killed[] {
  return WORKS.flatMap(work =>
    STEPS.filter(
      step => (step !== 'removing' || work === 'expire') && (work !== 'expire' || !/^(data|manifest|list)/.test(step)),
    ).map(killAt => ({ work, killAt, afterMs: round % 10 })),
  )
}

async function killInFolder(killed: Killed): Promise<Found> {
  const folder = await mkdtemp(join(tmpdir(), 'k2-kill-'))
  const opened: Lake[] = []
  const open = async (clock?: Clock) => {
    const lake = await openLake({
      warehouse: join(folder, 'warehouse'),
      catalog: { kind: 'sqlite', file: join(folder, 'warehouse', 'catalog.db') },
      s3: {},
      tempFolder: join(folder, 'spill'),
      threads: 1,
      memoryMb: 256,
      clock,
    })
    opened.push(lake)
    await lake.init()
    return lake
  }
  try {
    return await killAndLookAgain(folder, killed, open)
  } finally {
    for (const lake of opened) await lake.close()
    await rm(folder, { recursive: true, force: true })
  }
}

function complaintsOf({ work, killAt }: Killed, found: Found): string[] {
  const wrong = found.problems.map(({ file, problem }) => `${file}: ${problem}`)
  const expect = (holds: boolean, what: string) => void (holds || wrong.push(what))
  const { length } = found.rows
  expect(killAt === 'swapping' || found.signal === 'SIGKILL', `it was not killed: ${found.complaint}`)
  expect(
    found.rows.every((row, i) => row === i),
    'the rows are not those that were written',
  )
  const landed = work === 'append' && killAt === 'swapped'
  if (work === 'append' && killAt === 'swapping') expect(length === 20 || length === 30, `${length} rows`)
  else expect(length === (landed ? 30 : 20), `${length} rows`)
  expect(found.orphans.join() === found.strays.join(), `orphans ${found.orphans.join()}, strays ${found.strays.join()}`)
  expect(found.straysAfterCleaning.length === 0, 'cleaning left strays')
  expect(found.rowsAfterNextWrite.length === length + 10, 'the next write was not right')
  return wrong
}
