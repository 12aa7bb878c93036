// A Parquet file that DuckDB writes whole, on its way to whoever asked for it.
import { createReadStream } from 'node:fs'

/** Of COPY. Without a file of another name first, which a sandbox may not write. */
export const AS_PARQUET = 'FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false'

const CHUNK_BYTES = 256 * 1024

export async function* readFileBytes(file: string, signal?: AbortSignal): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of createReadStream(file, { highWaterMark: CHUNK_BYTES, signal })) yield chunk as Buffer
}
