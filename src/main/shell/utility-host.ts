// Starts an engine process as Electron's utility process; its twin under plain Node is host/fork.ts.
import { utilityProcess } from 'electron'
import type { EngineProcess } from '../host/supervise.ts'

export interface UtilityEngine extends EngineProcess {
  /** Undefined until it runs, and after it has ended. */
  pid(): number | undefined
}

export function startProcess(entry: string, env: NodeJS.ProcessEnv = {}): UtilityEngine {
  const child = utilityProcess.fork(entry, [], {
    env: { ...process.env, ...env, K2_ENGINE: '1' },
    stdio: 'inherit',
    serviceName: 'K2 engines',
  })
  const kill = () => {
    // Electron's own kill asks with SIGTERM, which an engine leaves to main.
    if (child.pid !== undefined) killNow(child.pid)
    else child.kill()
  }
  return {
    pid: () => child.pid,
    onExit: listen => void child.once('exit', listen),
    kill,
    port: {
      post: message => child.postMessage(message),
      onMessage: listen => void child.on('message', listen),
      onClose: listen => void child.once('exit', () => listen()),
      // A utility process cannot be hung up on; it is done when this is called.
      close: kill,
    },
  }
}

function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has just ended by itself, and its exit is on its way to us.
  }
}
