// Which snapshots are being read, told to the other processes on the same lake: whoever lets go of snapshots keeps these,
// and their files. A reader of a moment tells nobody; one that stays puts a small file beside the table, made once and
// never changed, and another one in its place before it counts as left behind.
import { randomUUID } from 'node:crypto'
import type { FileIO } from './io/file-io.ts'
import { asideOf, storeTime } from './store-time.ts'

export interface Pins {
  /** Keeps a snapshot's files while a reader of this process needs them; the returned function lets go. */
  pin: (snapshotId: string) => () => void
  /** By this process. */
  own: () => ReadonlySet<string>
  /** By other processes, as their files say. */
  others: () => Promise<ReadonlySet<string>>
  /** Takes back what this process has told. */
  close: () => Promise<void>
}

export interface PinOptions {
  io: FileIO
  /** The table's place, once it is known. */
  location: () => string | undefined
  /** Shorter reads are not told: a file for each would cost more than what it spares, asking once more. */
  afterMs?: number
  renewEveryMs?: number
  /** What is not told again for so long was left by a process that is gone. */
  staleMs?: number
}

const AFTER_MS = 5_000
const RENEW_EVERY_MS = 600_000
const STALE_MS = 3_600_000
const NOTHING = new Uint8Array(1)

interface Pin {
  readers: number
  timer: NodeJS.Timeout
  /** The last step that was begun: one after the other, so that taking back comes after telling. */
  telling: Promise<void>
  told?: string
}

export function createPins(options: PinOptions): Pins {
  const { io, location, afterMs = AFTER_MS, renewEveryMs = RENEW_EVERY_MS, staleMs = STALE_MS } = options
  const reader = randomUUID()
  const pins = new Map<string, Pin>()

  /** A store that may only be read has no room for it; reading goes on all the same. */
  async function tell(snapshotId: string, pin: Pin): Promise<void> {
    const place = location()
    if (place === undefined || pins.get(snapshotId) !== pin) return
    const before = pin.told
    const file = `${asideOf(place)}/${snapshotId}.${reader}.${randomUUID()}.pin`
    try {
      await io.write(file, NOTHING)
      pin.told = file
      if (before !== undefined) await io.remove(before)
    } catch {
      // The one before, if any, is good until it is stale.
    }
  }

  function later(snapshotId: string, pin: Pin, afterMs: number): void {
    pin.timer = setTimeout(() => {
      pin.telling = pin.telling.then(() => tell(snapshotId, pin))
      later(snapshotId, pin, renewEveryMs)
    }, afterMs)
    pin.timer.unref()
  }

  function letGo(snapshotId: string, pin: Pin): Promise<void> {
    pins.delete(snapshotId)
    clearTimeout(pin.timer)
    return (pin.telling = pin.telling.then(async () => {
      if (pin.told !== undefined) await io.remove(pin.told).catch(() => {})
      pin.told = undefined
    }))
  }

  function pinOf(snapshotId: string): Pin {
    const known = pins.get(snapshotId)
    if (known) return known
    const pin = { readers: 0, telling: Promise.resolve() } as Pin
    pins.set(snapshotId, pin)
    later(snapshotId, pin, afterMs)
    return pin
  }

  return {
    pin(snapshotId) {
      const pin = pinOf(snapshotId)
      pin.readers++
      let isHeld = true
      return () => {
        if (!isHeld) return
        isHeld = false
        if (--pin.readers === 0) void letGo(snapshotId, pin)
      }
    },

    own: () => new Set(pins.keys()),

    async others() {
      const place = location()
      const found = new Set<string>()
      if (place === undefined) return found
      const files: { location: string; modifiedMs: number }[] = []
      for await (const file of io.list(asideOf(place))) files.push(file)
      const theirs = files.filter(file => !file.location.includes(reader))
      if (theirs.length === 0) return found
      const nowMs = (await storeTime(io, place)) ?? -Infinity
      for (const { location: file, modifiedMs } of theirs) {
        const [, snapshotId] = /\/(-?\d+)\.[^/]*\.pin$/.exec(file) ?? []
        if (nowMs - modifiedMs > staleMs) await io.remove(file).catch(() => {})
        else if (snapshotId !== undefined) found.add(snapshotId)
      }
      return found
    },

    async close() {
      await Promise.all([...pins].map(([snapshotId, pin]) => letGo(snapshotId, pin)))
    },
  }
}
