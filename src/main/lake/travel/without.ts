// What is in one set of files and not in another, both by key.
export function without<T>(files: ReadonlyMap<string, T>, others: ReadonlyMap<string, unknown>): T[] {
  return [...files].flatMap(([key, file]) => (others.has(key) ? [] : [file]))
}
