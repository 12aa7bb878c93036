// Test only, first in main's bundle for Electron 9: globals that Node 12 lacks, as far as the shell uses them.
class OldHeaders extends Map<string, string> {}

class OldResponse {
  readonly status: number
  readonly headers: OldHeaders
  private readonly body: string | Buffer
  constructor(body: string | Buffer, { status, headers }: { status: number; headers: Record<string, string> }) {
    this.body = body
    this.status = status
    this.headers = new OldHeaders(Object.entries(headers))
  }
  arrayBuffer(): Promise<Buffer> {
    return Promise.resolve(Buffer.from(this.body as string))
  }
}

class OldAbortController {
  readonly signal = Object.assign(new EventTargetOfOne(), { aborted: false })
  abort(): void {
    this.signal.aborted = true
    this.signal.dispatch()
  }
}

class EventTargetOfOne {
  private readonly listeners: (() => void)[] = []
  addEventListener(_name: string, listen: () => void): void {
    this.listeners.push(listen)
  }
  dispatch(): void {
    for (const listen of this.listeners) listen()
  }
}

function add(to: object, functions: Record<string, (this: never, ...args: never[]) => unknown>): void {
  for (const [name, value] of Object.entries(functions))
    Object.defineProperty(to, name, { value, writable: true, configurable: true })
}

function at(this: ArrayLike<unknown>, index: number): unknown {
  return this[index < 0 ? this.length + index : index]
}

Object.assign(process, { constrainedMemory: () => undefined })
Object.assign(globalThis, { Response: OldResponse, AbortController: OldAbortController })
add(Array.prototype, { at })
add(String.prototype, {
  at,
  replaceAll(this: string, from: string | RegExp, to: string) {
    return from instanceof RegExp ? this.replace(from, to) : this.split(from).join(to)
  },
})
add(Object, { hasOwn: (object: object, key: string) => Object.prototype.hasOwnProperty.call(object, key) })
add(URL, {
  canParse(url: string) {
    try {
      return Boolean(new URL(url))
    } catch {
      return false
    }
  },
})
