// A message in JSON, one object, into a draft.
import { isUtf8 } from 'node:buffer'
import { createDictionary, textOf, type Dictionary } from '../decode-dictionary.ts'
import { malformed } from '../decode-primitives.ts'
import { addSlot, setRange, type Draft } from './draft.ts'
import { createScan, expectEnd, scanObject } from './scan-json.ts'

/** Names are looked up by their bytes; a producer that makes up new ones all the time is not to fill the memory. */
const MOST_NAMES = 4096

const BYTE_ORDER_MARK = 0xefbbbf

interface Name {
  text: string
  /** Of ours; nothing for another name. */
  slot: number | undefined
}

/** Reads what `beginDraft` has put in. */
export function createJsonReader(draft: Draft, slotOf: ReadonlyMap<string, number>): () => void {
  const scan = createScan(draft)
  let names = newNames()

  function newNames(): Dictionary<Name> {
    return createDictionary((bytes, from, to) => {
      const text = textOf(bytes, from, to)
      return { text, slot: slotOf.get(text) }
    })
  }

  function take(nameFrom: number, nameTo: number): void {
    const { text, slot } = names.words[names.codeOf(draft.bytes, nameFrom, nameTo)]
    setRange(draft, slot ?? addSlot(draft, text), scan.found, scan.from, scan.to)
  }

  return function readJson() {
    if (!isUtf8(draft.bytes.subarray(0, draft.length))) malformed('The message is JSON that is not UTF-8')
    if (names.words.length > MOST_NAMES) names = newNames()
    scan.at = draft.length > 2 && draft.bytes.readUIntBE(0, 3) === BYTE_ORDER_MARK ? 3 : 0
    scan.end = draft.length
    scanObject(scan, take)
    expectEnd(scan)
  }
}
