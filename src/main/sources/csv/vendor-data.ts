// What a file says beyond the table's columns, gathered into one map a row; a map for each combination that comes.
import type { Column } from '../../../contract/columns.ts'
import { createDictionary, type Dictionary } from '../../market/decode-dictionary.ts'
import { checkedText } from '../values/columns.ts'
import { mapText } from './optional-columns.ts'

export interface VendorDataMaker {
  begin: (capacity: number) => void
  /** The row's next part; parts come in their order, all of them in every row. */
  takePart: (part: number, bytes: Buffer, from: number, to: number) => void
  /** All parts of the row were taken. */
  endRow: (row: number) => void
  finish: (rowCount: number) => Column
}

/** More values of one part in a batch than this cannot be: keys stay exact as doubles. */
const CODE_SPACE = 2 ** 24

/** The part that is a map already, as K2 itself exports it: its entries are taken one by one. */
const WHOLE_MAP = 'vendor_data'

/** `always` is in every row. An empty part is left out; a row with none has no map. */
export function makeVendorData(
  parts: readonly string[],
  always: Readonly<Record<string, string>> = {},
): VendorDataMaker {
  let dictionaries = parts.map(dictionaryOf)
  /** By part: the code of the combination up to there, out of that of the parts before and the part's own. */
  let combined = parts.map(() => new Map<number, number>())
  let codes = new Uint32Array(0)
  let nulls = new Uint8Array(0)
  let words: Record<string, string>[] = []
  let wordOf = new Map<number, number>()
  let emptyCode = -1
  const own = new Int32Array(parts.length)

  function combinationOf(): number {
    let code = 0
    for (let part = 0; part < own.length; part++) {
      const key = code * CODE_SPACE + own[part]
      const known = combined[part].get(key)
      if (known === undefined) combined[part].set(key, (code = combined[part].size))
      else code = known
    }
    return code
  }

  function addWord(combination: number): number {
    const entries = parts.flatMap((name, part): [string, string][] => {
      const text = dictionaries[part].words[own[part]]
      return name === WHOLE_MAP && text !== ''
        ? Object.entries(JSON.parse(text) as Record<string, string>)
        : [[name, text]]
    })
    const word = { ...always, ...Object.fromEntries(entries.filter(([, text]) => text !== '')) } as Record<
      string,
      string
    >
    const code = words.push(word) - 1
    if (Object.keys(word).length === 0) emptyCode = code
    wordOf.set(combination, code)
    return code
  }

  return {
    begin(capacity) {
      codes = new Uint32Array(capacity)
      nulls = new Uint8Array(capacity)
      dictionaries = parts.map(dictionaryOf)
      combined = parts.map(() => new Map<number, number>())
      words = []
      wordOf = new Map()
      emptyCode = -1
    },
    takePart(part, bytes, from, to) {
      own[part] = dictionaries[part].codeOf(bytes, from, to)
    },
    endRow(row) {
      const combination = combinationOf()
      const code = wordOf.get(combination) ?? addWord(combination)
      codes[row] = code
      nulls[row] = code === emptyCode ? 1 : 0
    },
    finish(rowCount) {
      const used = nulls.slice(0, rowCount)
      return {
        type: 'map',
        values: codes.slice(0, rowCount),
        words: words.length > 0 ? words : [{}],
        ...(used.includes(1) && { nulls: used }),
      }
    },
  }
}

function dictionaryOf(part: string): Dictionary<string> {
  return createDictionary(part === WHOLE_MAP ? mapText : checkedText)
}
