// How the program ends: in order, within its deadline, at once when asked twice.
import { expect, it } from 'vitest'
import { quitFlow } from '../../../src/main/base/quit-flow.ts'

function newFlow(close: (signal: AbortSignal) => Promise<string[]>, deadlineMs?: number) {
  const said: string[] = []
  let quit!: (code: number) => void
  const exited = new Promise<number>(resolve => {
    quit = quitFlow({ close, exit: resolve, say: line => said.push(line), deadlineMs })
  })
  return { quit, exited, said }
}

const untilAborted = (signal: AbortSignal) =>
  new Promise<string[]>(resolve => signal.addEventListener('abort', () => resolve(['flush of trades'])))

it('waits for what is closing, then exits with the code it was asked for', async () => {
  const { quit, exited, said } = newFlow(() => new Promise(resolve => setTimeout(resolve, 20, [])))
  quit(130)
  expect(await exited).toBe(130)
  expect(said).toEqual([])
})

it('ends at its deadline and says what was not finished', async () => {
  const { quit, exited, said } = newFlow(untilAborted, 30)
  quit(0)
  expect(await exited).toBe(1)
  expect(said).toEqual(['K2 ended before it had finished: flush of trades.'])
})

it('ends at once when asked a second time, and says what was not finished', async () => {
  const { quit, exited, said } = newFlow(untilAborted)
  const startedAt = performance.now()
  quit(0)
  quit(0)
  expect(await exited).toBe(1)
  expect(performance.now() - startedAt).toBeLessThan(500)
  expect(said[0]).toContain('flush of trades')
})

it('ends even when what is closing does not heed the deadline, or throws', async () => {
  const deaf = newFlow(() => new Promise(() => {}), 10)
  deaf.quit(0)
  expect(await deaf.exited).toBe(1)
  const broken = newFlow(() => Promise.reject(new Error('disk full')))
  broken.quit(0)
  expect(await broken.exited).toBe(1)
  expect(broken.said[0]).toContain('disk full')
})

it('closes once, however often it is asked', async () => {
  let closed = 0
  const { quit, exited } = newFlow(async signal => {
    closed++
    return untilAborted(signal)
  })
  for (let i = 0; i < 5; i++) quit(0)
  await exited
  expect(closed).toBe(1)
})
