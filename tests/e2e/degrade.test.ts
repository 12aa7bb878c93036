import { expect, it } from 'vitest'
import { runK2 } from '../support/k2.ts'

it('shows what load does: every level, what each leaves out, that nothing is lost, and the way back', async () => {
  const { code, stdout, stderr } = await runK2(['demo', '--degrade', '--rate', '1500'])
  const said = (pattern: RegExp) => expect(stdout + stderr).toMatch(pattern)
  said(/NORMAL at 1500 messages a second/)
  said(/SOFT: .*left out tier 3: \d+$/m)
  said(/GRACEFUL: .*left out tier 2: \d+, tier 3: \d+$/m)
  said(/AGGRESSIVE: .*left out tier 1: \d+, tier 2: \d+, tier 3: \d+$/m)
  said(/CIRCUIT_BREAK: .*left out tier 1: /)
  said(/NORMAL: the follower gets every row again/)
  const [, produced, written] = /(\d+) messages were produced, and the tables have (\d+) rows$/m.exec(stdout)!
  expect(Number(produced)).toBeGreaterThan(10_000)
  expect(written).toBe(produced)
  expect(code).toBe(0)
}, 120_000)
