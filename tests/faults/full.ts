// The long form of the lake's fault tests, about half an hour: `npx tsx tests/faults/full.ts [kill|damage] [rounds]`.
// Prints its seed, and ends with 1 when anything was not as promised.
import { killRounds } from './kill-rounds.ts'
import { damageRounds } from './damage-rounds.ts'

const [what = 'all', rounds = '20'] = process.argv.slice(2)
let failures = 0
if (what !== 'damage') failures += await killRounds(Number(rounds))
if (what !== 'kill') failures += await damageRounds(Number(rounds))
console.log(failures === 0 ? 'All as promised.' : `${failures} failures.`)
process.exitCode = failures === 0 ? 0 : 1
