// What time it is where a table's files lie: clocks of machines differ, and what one takes for old another has just written.
import { randomUUID } from 'node:crypto'
import type { FileIO } from './io/file-io.ts'

const NOTHING = new Uint8Array(1)

/** Where no reader of tables looks, nor the removal of orphans. */
export const asideOf = (location: string) => `${location.replace(/\/+$/, '')}/.k2-pins`

/** Nothing where it cannot be told. */
export async function storeTime(io: FileIO, location: string): Promise<number | undefined> {
  const probe = `${asideOf(location)}/clock-${randomUUID()}.probe`
  try {
    await io.write(probe, NOTHING)
    for await (const file of io.list(asideOf(location)))
      if (file.location.endsWith(nameOf(probe))) return file.modifiedMs
    return undefined
  } finally {
    await io.remove(probe).catch(() => {})
  }
}

function nameOf(location: string): string {
  return location.slice(location.lastIndexOf('/') + 1)
}
