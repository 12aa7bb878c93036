import { expect, it } from 'vitest'
import { createRunReport } from '../../../src/main/commands/report-run.ts'

function screen(isTTY: boolean) {
  let text = ''
  return { isTTY, write: (part: string) => (text += part), shown: () => text }
}

const progress = { state: 'writing', messages: 1200, rows: 1000, commits: 1, duration_seconds: 2.5, rows_per_second: 0 }

it('gives the totals by name at the end, and not how fast the last seconds were', () => {
  const report = createRunReport(screen(false))
  report.take({ ...progress, why: null })
  expect(report.end()).toBe('messages=1200 rows=1000 commits=1 duration_seconds=2.5')
})

it('gives no totals of what failed before it began', () => {
  expect(createRunReport(screen(true)).end()).toBe('')
})

it('says what keeps it waiting once where nobody watches, and again after it was well', () => {
  const out = screen(false)
  const report = createRunReport(out)
  for (const why of [null, 'Kafka is away.', 'Kafka is away.', null, 'Kafka is away.'])
    report.take({ ...progress, why })
  expect(out.shown()).toBe('Kafka is away.\nKafka is away.\n')
})

it('leaves what is not done yet on a terminal when it ends', () => {
  const out = screen(true)
  const report = createRunReport(out)
  report.take({ ...progress, why: '12 rows were not committed; the log has them.' })
  report.end()
  expect(out.shown().endsWith('12 rows were not committed; the log has them.\n')).toBe(true)
})

it.each([true, false])('leaves to a failure what that says itself, and tells the rest (terminal: %s)', isTTY => {
  for (const [failure, said] of [
    [new Error('Halted: 5 are missing.'), 0],
    [new Error('The profile is gone.'), 1],
    [undefined, 1],
  ] as const) {
    const out = screen(isTTY)
    const report = createRunReport(out)
    for (const state of ['writing', 'halted'])
      report.take({ ...progress, state, why: state === 'halted' ? 'Halted: 5 are missing.' : null })
    report.end(failure)
    expect(out.shown().split('Halted: 5 are missing.\n')).toHaveLength(said + 1)
  }
})

it('draws one line that changes on a terminal', () => {
  const out = screen(true)
  createRunReport(out).take({ ...progress, why: null })
  expect(out.shown()).toContain('writing  messages 1,200, rows 1,000, commits 1')
  expect(out.shown()).not.toContain('\n')
})
