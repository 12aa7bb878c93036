// Texts as bytes are the same column that they would be as words, to whoever does not know the difference.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cellOf } from '../../../src/contract/columns.ts'
import { packedColumn, packedTextsOf } from '../../../src/main/market/packed-texts.ts'
import { pack } from '../../support/pack-texts.ts'

const texts = fc.array(fc.oneof(fc.string(), fc.string({ unit: 'grapheme', minLength: 8 })))

describe('packed texts', () => {
  it('are the words of their column, one a row', () => {
    fc.assert(
      fc.property(texts, texts => {
        const column = packedColumn(pack(texts))
        expect(texts.map((_, row) => cellOf(column, row))).toEqual(texts)
        expect(column.words).toEqual(texts)
      }),
    )
  })

  it('are plain words once the column is copied or sent to another process', () => {
    const column = packedColumn(pack(['a', 'é', '']))
    for (const copy of [{ ...column }, structuredClone(column)]) {
      expect(copy).toEqual({ type: 'string', values: Uint16Array.of(0, 1, 2), words: ['a', 'é', ''] })
      expect(packedTextsOf(copy)).toBeUndefined()
    }
  })
})
