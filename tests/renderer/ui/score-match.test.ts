// What the palette puts first.
import { describe, expect, it } from 'vitest'
import { scoreMatch } from '../../../src/renderer/ui/score-match.ts'

const best = (search: string, names: readonly string[]) =>
  names.map(name => ({ name, score: scoreMatch(name, search) })).sort((a, b) => b.score - a.score)[0].name

describe('a match', () => {
  it('is best where what was typed is the name, then where the name begins with it', () => {
    expect(best('rio', ['Only the selected symbol', 'ORION', 'RIOT', 'RIO'])).toBe('RIO')
    expect(best('rio', ['ORION', 'RIOT'])).toBe('RIOT')
    expect(best('light', ['Highlight', 'Theme: light'])).toBe('Theme: light')
  })

  it('needs every word, in any order', () => {
    expect(scoreMatch('Theme: high contrast', 'contrast theme')).toBeGreaterThan(0)
    expect(scoreMatch('Theme: high contrast', 'theme light')).toBe(0)
  })

  it('is not made of scattered letters', () => {
    expect(scoreMatch("Times in the exchange's zone", 'tie')).toBe(0)
  })

  it('counts other words less than the name', () => {
    expect(scoreMatch('Pause', 'hold', ['hold stop'])).toBeGreaterThan(0)
    expect(scoreMatch('Pause', 'hold', ['hold stop'])).toBeLessThan(scoreMatch('Hold', 'hold'))
  })
})
