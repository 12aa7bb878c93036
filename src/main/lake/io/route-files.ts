// Files wherever their location says they are: on this machine, or in S3. What is not used is never opened.
import { parseLocation } from './location.ts'
import { storedFiles, type FileIO } from './file-io.ts'

export interface S3Route {
  /** What its keys are for: locations of one scope are reached by the same ones. */
  scopeOf: (location: string) => string
  open: (scope: string) => FileIO
}

export function routeFiles(local: FileIO, { scopeOf, open }: S3Route): FileIO {
  const opened = new Map<string, FileIO>()
  function of(location: string): FileIO {
    if (parseLocation(location).kind !== 's3') return local
    const scope = scopeOf(location)
    const s3 = opened.get(scope) ?? open(scope)
    opened.set(scope, s3)
    return s3
  }
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
      for (const s3 of opened.values()) await s3.close()
    },
    stored: {
      read: (location, range, signal) => storedFiles(of(location)).read(location, range, signal),
      open: (location, signal) => storedFiles(of(location)).open(location, signal),
      size: (location, signal) => storedFiles(of(location)).size(location, signal),
    },
  }
}
