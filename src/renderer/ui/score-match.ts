// How well something in the palette answers what was typed. Every word must occur; nothing is guessed from scattered letters,
// as with hundreds of symbols that finds everything and puts the wrong one first.

/** 0: not at all; up to 1: what was typed is its name. */
export function scoreMatch(name: string, search: string, also: readonly string[] = []): number {
  const words = search.trim().toLowerCase().split(/\s+/)
  const target = name.toLowerCase()
  if (target === words.join(' ')) return 1
  let least = 1
  for (const word of words) {
    const score = Math.max(scoreWord(target, word), ...also.map(text => scoreWord(text.toLowerCase(), word) * 0.7))
    least = Math.min(least, score)
  }
  // Of two that match alike, the one that is mostly what was typed.
  return least * (0.9 + 0.09 * Math.min(1, search.length / Math.max(1, target.length)))
}

function scoreWord(text: string, word: string): number {
  if (text === word) return 1
  const at = text.indexOf(word)
  if (at < 0) return 0
  if (at === 0) return 0.9
  return /[^\p{L}\p{N}]/u.test(text[at - 1]) ? 0.8 : 0.4
}
