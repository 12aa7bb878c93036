// Topics from a shell on a bare machine: made in the log of the K2 that runs, and nowhere else.
import { expect, it } from 'vitest'
import { newProfile, runK2, startK2 } from '../support/k2.ts'

const topics = (profile: string, ...words: string[]) =>
  runK2(['topics', ...words, '--profile', profile], { env: { K2_TOPICS: 'market.equities.trades.asx' } })

it.each(['init', 'list'])('topics %s says that there is no log, and how to have one', async word => {
  const { code, stdout, stderr } = await topics(newProfile(), word)
  expect(stderr).toMatch(/^k2: There is no log for topics: .*K2_KAFKA_BROKERS.*`k2 serve`.*--connect\.\n$/)
  expect(stdout).toBe('')
  expect(code).toBe(1)
})

it('are made where a K2 runs, and are there when it is asked again', async () => {
  const env = { K2_TOPICS: 'market.equities.trades.asx' }
  const { profile } = await startK2(['serve', '--no-ui'], { env })
  const stateOf = async (word: string) => {
    const { code, stdout } = await topics(profile, word, '-o', 'json')
    expect(code).toBe(0)
    const rows = JSON.parse(stdout) as { topic: string; state: string }[]
    return rows.find(({ topic }) => topic === env.K2_TOPICS)?.state
  }
  expect(await stateOf('init')).toMatch(/created|there/)
  expect(await stateOf('list')).toBe('there')
})
