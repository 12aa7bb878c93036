// Damages a thousand places of a small table a round, and counts what readers and the check made of it.
import { composeLake } from '../support/compose-lake.ts'
import { damagesOf, healthyDuck, isWrong, judge, rowsIn, tableToDamage } from '../support/damage.ts'

const DAMAGES = 1_000

export async function damageRounds(rounds: number, firstSeed = Date.now() % 1_000_000): Promise<number> {
  const duckOf = healthyDuck()
  const duck = await duckOf.get()
  const state = await tableToDamage(duck)
  const lake = composeLake({ io: state.files, rows: state.rows, duck })
  const right = await rowsIn(lake)
  let failures = 0
  for (let seed = firstSeed; seed < firstSeed + rounds; seed++) {
    const counts = new Map<string, number>()
    for (const damage of await damagesOf(lake, state, DAMAGES, seed)) {
      const { read, filtered, verified } = await judge(duckOf, state, damage, right)
      const { kind, location, at, how } = damage
      const short = [read, filtered, verified].map(one => one.replace(/:.*/s, ''))
      const key = `${kind}: read ${short[0]}, filtered ${short[1]}, check ${short[2]}`
      counts.set(key, (counts.get(key) ?? 0) + 1)
      const bad = [read, filtered, verified].some(isWrong)
      if (!bad) continue
      failures++
      console.log(
        `seed ${seed}: ${how} at ${at} of ${location}\n  read ${read}\n  filtered ${filtered}\n  check ${verified}`,
      )
    }
    console.log(`damage: seed ${seed}, ${failures} failures, ${duckOf.lost()} databases lost so far`)
    for (const [key, count] of [...counts].sort()) console.log(`  ${count} × ${key}`)
  }
  await state.files.close()
  duckOf.close()
  return failures
}
