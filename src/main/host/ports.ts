// Ports over what Node calls the two ends of a child process, and over its MessagePorts.
import type { ChildProcess } from 'node:child_process'
import type { MessagePort } from 'node:worker_threads'
import type { Port } from '../../contract/messages.ts'
import { stayAwake } from './stay-awake.ts'

const QUICK_ANSWER_MS = 0.2

/** Main's end. Messages cross by structured clone (`serialization: 'advanced'`), so columns stay binary. */
export function childPort(child: ChildProcess): Port {
  const awaitAnswer = stayAwake(QUICK_ANSWER_MS)
  return {
    post: message => {
      if (!child.connected) return
      // The callback takes the error of a child that has just died; its exit is what we act on.
      child.send(message as object, () => {})
      awaitAnswer()
    },
    onMessage: listen => void child.on('message', listen),
    onClose: listen => void child.once('exit', listen).once('error', listen),
    close: () => {
      if (child.connected) child.disconnect()
    },
  }
}

/** The child's end, in a plain Node child or an Electron utility process. */
export function parentPort(): Port {
  const utility = (process as { parentPort?: UtilityParentPort }).parentPort
  if (utility) {
    return {
      post: message => utility.postMessage(message),
      onMessage: listen => void utility.on('message', event => listen(event.data)),
      onClose: () => {}, // Electron ends its utility processes with itself
      close: () => {},
    }
  }
  return {
    post: message => {
      if (process.connected) process.send!(message, undefined, undefined, () => {})
    },
    onMessage: listen => void process.on('message', listen),
    onClose: listen => void process.once('disconnect', listen),
    close: () => {
      if (process.connected) process.disconnect()
    },
  }
}

/** Electron's `process.parentPort`, as far as it is used; its types would bring Electron here. */
interface UtilityParentPort {
  postMessage(message: unknown): void
  on(name: 'message', listen: (event: { data: unknown }) => void): void
}

export function messagePort(port: MessagePort): Port {
  return {
    post: message => port.postMessage(message),
    onMessage: listen => void port.on('message', listen),
    onClose: listen => void port.once('close', listen),
    close: () => port.close(),
  }
}
