// One port on which both ends may ask: what belongs to one's own questions is told from the other's by its kind.
import type { Port, ToClient } from '../../contract/messages.ts'

const ANSWERS: ReadonlySet<unknown> = new Set<ToClient['t']>(['next', 'done', 'fail'])

export interface TwoWayPort {
  /** For a client: answers to what this end asks. */
  asking: Port
  /** For a server: what the other end asks. */
  answering: Port
}

export function splitPort(port: Port): TwoWayPort {
  const only = (isMine: (message: unknown) => boolean): Port => ({
    ...port,
    onMessage: listen =>
      port.onMessage(message => {
        if (isMine(message)) listen(message)
      }),
  })
  return { asking: only(isAnswer), answering: only(message => !isAnswer(message)) }
}

function isAnswer(message: unknown): boolean {
  return typeof message === 'object' && message !== null && ANSWERS.has((message as { t?: unknown }).t)
}
