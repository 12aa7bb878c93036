// What the header says about the connection and the age of what is shown, in words.
import type { LinkState } from '../stores/link.ts'
import { ageText } from './decimal-text.ts'

export interface LiveText {
  tone: 'live' | 'quiet' | 'lost' | 'waiting'
  /** Told apart without colour. */
  glyph: string
  word: string
  /** Freshness of the newest row, or how long it has been lost. */
  age: string
  about: string
}

/** Longer than this without a row, and a market is quiet rather than live. */
const QUIET_AFTER_MS = 2000

export function liveText(link: LinkState, newestAtMs: number, nowMs: number): LiveText {
  if (link.state === 'connecting')
    return { tone: 'waiting', glyph: '○', word: 'connecting', age: '', about: 'Connecting to K2' }
  if (link.state === 'lost') {
    const lostMs = nowMs - (link.lostAtMs ?? nowMs)
    const retryS = Math.max(0, Math.ceil(((link.retryAtMs ?? nowMs) - nowMs) / 1000))
    const next = retryS > 0 ? `Trying again in ${retryS} s.` : 'Trying again now.'
    const what = newestAtMs > 0 ? ' What is shown is the last that came.' : ''
    return { tone: 'lost', glyph: '✕', word: 'lost', age: ageText(lostMs), about: `${link.why ?? ''}${what} ${next}` }
  }
  if (newestAtMs === 0)
    return { tone: 'waiting', glyph: '○', word: 'connected', age: '', about: 'Connected; nothing has come yet' }
  const age = Math.max(0, nowMs - newestAtMs)
  if (age > QUIET_AFTER_MS)
    return { tone: 'quiet', glyph: '◌', word: 'quiet', age: ageText(age), about: 'Connected; age of the newest row' }
  return { tone: 'live', glyph: '●', word: 'live', age: ageText(age), about: 'Live; age of the newest row' }
}
