import { expect, it } from 'vitest'
import { composeLake } from '../../../support/compose-lake.ts'
import { damagesOf, healthyDuck, isWrong, judge, rowsIn, tableToDamage } from '../../../support/damage.ts'

// A thousand a round, and any number of rounds, in tests/faults/full.ts.
it('tells which file is damaged, or reads what is right, and never ends in a bug', { timeout: 120_000 }, async () => {
  const seed = Math.floor(Math.random() * 1e9)
  console.log(`seed of the damages: ${seed}`)
  const duckOf = healthyDuck()
  const duck = await duckOf.get()
  const state = await tableToDamage(duck)
  const lake = composeLake({ io: state.files, rows: state.rows, duck })
  const right = await rowsIn(lake)
  const counts = { told: 0, wrongInTables: 0 }
  for (const damage of await damagesOf(lake, state, 120, seed)) {
    const judged = await judge(duckOf, state, damage, right)
    const { read, filtered, verified } = judged
    expect([read, filtered, verified].filter(isWrong), JSON.stringify({ seed, ...judged })).toEqual([])
    if (read === 'told') counts.told++
    if (damage.kind === 'manifest' && read === 'wrong') counts.wrongInTables++
  }
  expect(counts.told).toBeGreaterThan(20)
  expect(counts.wrongInTables).toBe(0)
  await state.files.close()
  duckOf.close()
})
