// The messages of one conversation over a port or a WebSocket; `id` is the request they belong to.
import type { WireFailure } from './failure.ts'

/** Batches a server may send ahead of the reader. Measured best in the page: enough to hide a round trip, few enough to merge under load. */
export const INITIAL_CREDIT = 4

export type ToServer =
  | { t: 'open'; id: number; name: string; input: unknown; correlationId?: string }
  | { t: 'credit'; id: number; n: number }
  | { t: 'cancel'; id: number }

export type ToClient =
  | { t: 'next'; id: number; value: unknown }
  | { t: 'done'; id: number; value?: unknown }
  | { t: 'fail'; id: number; error: WireFailure }

/** Two-way, ordered, message-shaped: a MessagePort of the web, of Node or of Electron, a child process, a WebSocket. */
export interface Port {
  post(message: unknown): void
  onMessage(listen: (message: unknown) => void): void
  /** Called once when the other side is gone. */
  onClose(listen: () => void): void
  close(): void
}
