// Texts end to end, with bytes behind them that belong to none.
import type { PackedTexts } from '../../src/main/market/packed-texts.ts'

export function pack(texts: readonly string[]): PackedTexts {
  let at = 0
  const ends = Uint32Array.from(texts, text => (at += Buffer.byteLength(text)))
  return { bytes: Buffer.from(texts.join('') + 'not theirs'), ends }
}
