// Starts an engine process under plain Node; Electron's twin is shell/utility-host.ts.
import { fork } from 'node:child_process'
import { childPort } from './ports.ts'
import type { EngineProcess } from './supervise.ts'

export function forkEngine(entry: string): EngineProcess {
  const child = fork(entry, [], {
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    // Signals of the terminal go to the whole group; only main acts on them and then closes its engines in order.
    env: { ...process.env, K2_ENGINE: '1' },
  })
  return {
    port: childPort(child),
    onExit: listen => void child.once('exit', listen),
    kill: () => void child.kill('SIGKILL'),
  }
}
