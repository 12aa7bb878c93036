// Files wherever their location says they are: on this machine, or in S3. What is not used is never opened.
import { parseLocation } from './location.ts'
import type { FileIO } from './file-io.ts'

export function routeFiles(local: FileIO, openS3: () => FileIO): FileIO {
  let s3: FileIO | undefined
  const of = (location: string): FileIO => (parseLocation(location).kind === 's3' ? (s3 ??= openS3()) : local)
  return {
    read: (location, range, signal) => of(location).read(location, range, signal),
    write: (location, bytes, signal) => of(location).write(location, bytes, signal),
    adopt: (path, location, signal) => of(location).adopt(path, location, signal),
    draftPath: location => of(location).draftPath(location),
    open: (location, signal) => of(location).open(location, signal),
    remove: location => of(location).remove(location),
    list: folder => of(folder).list(folder),
    async close() {
      await local.close()
      await s3?.close()
    },
  }
}
