// What was used last stays, up to so many bytes.

export interface Weighed {
  bytes: number
}

export interface BoundedCache<V extends Weighed> {
  get: (key: string) => V | undefined
  /** Also after what it holds has grown. What is larger than the whole cache is not kept. */
  put: (key: string, value: V) => void
  delete: (key: string) => void
  stats: () => { bytes: number; entries: number }
}

export function createBoundedCache<V extends Weighed>(maxBytes: number): BoundedCache<V> {
  const entries = new Map<string, { value: V; bytes: number }>()
  let bytes = 0

  function remove(key: string): void {
    const found = entries.get(key)
    if (!found) return
    bytes -= found.bytes
    entries.delete(key)
  }

  return {
    get(key) {
      const found = entries.get(key)
      if (!found) return undefined
      entries.delete(key)
      entries.set(key, found)
      return found.value
    },
    put(key, value) {
      remove(key)
      if (value.bytes > maxBytes) return
      entries.set(key, { value, bytes: value.bytes })
      bytes += value.bytes
      for (const oldest of entries.keys()) {
        if (bytes <= maxBytes) break
        remove(oldest)
      }
    },
    delete: remove,
    stats: () => ({ bytes, entries: entries.size }),
  }
}
