// Rows whose source_sequence is their place in a file: such numbers keep the file's order, and say nothing of what is missing.
import type { Word } from '../../contract/columns.ts'

/** What vendor_data says of them. */
export const NUMBERED_BY_ROW = { source_sequence: 'row number' } as const

export function isNumberedByRow(vendorData: Word): boolean {
  return (vendorData as Readonly<Record<string, string>> | null)?.source_sequence === NUMBERED_BY_ROW.source_sequence
}
