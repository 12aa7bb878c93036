// Rows as the bytes of a file, as they come. The socket is the credit: while it is full nothing is taken from the stream.
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { FILE_FORMATS, type FileFormat } from '../../../contract/sql.ts'

export const FILE_TYPES: Readonly<Record<FileFormat, string>> = {
  csv: 'text/csv; charset=utf-8; header=present',
  ndjson: 'application/x-ndjson',
  arrow: 'application/vnd.apache.arrow.stream',
  parquet: 'application/vnd.apache.parquet',
}

/** A route that gives files takes `format`: no other field of a file's, so it is taken out of what the answer is asked with. */
export function formatIn(input: unknown): { format: FileFormat | undefined; rest: unknown } {
  const { format, ...rest } = input as { format?: unknown }
  if (format === undefined || format === 'json') return { format: undefined, rest }
  // What is not known, null too, is left to the stream's schema, which names the ones there are.
  return { format: format as FileFormat, rest }
}

/** The name that a browser saves it under. */
export function dispositionOf(capability: string, format: FileFormat): string {
  const known = FILE_FORMATS.find(known => known === format) ?? 'bin'
  return `attachment; filename="${capability.split('.', 1)[0]}.${known}"`
}

/** Rejects if the stream fails before anything was sent; a failure after that ends the connection, so that nobody takes a part for the whole. */
export async function sendFile(
  chunks: AsyncIterable<unknown>,
  { open, signal }: { open: () => ServerResponse; signal: AbortSignal },
): Promise<void> {
  const iterator = chunks[Symbol.asyncIterator]()
  const first = await iterator.next()
  const response = open()
  response.on('error', () => {}) // the reader is gone; `signal` says so
  try {
    for (let next = first; !next.done; next = await iterator.next()) {
      signal.throwIfAborted()
      if (!response.write(next.value)) await once(response, 'drain', { signal })
    }
    response.end()
  } catch {
    response.destroy()
  } finally {
    await iterator.return?.()
  }
}
