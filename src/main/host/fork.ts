// Starts an engine process under plain Node; Electron's twin is shell/utility-host.ts.
import { fork } from 'node:child_process'
import { childPort } from './ports.ts'
import type { EngineProcess } from './supervise.ts'

export function forkEngine(entry: string, nodeOptions: string[] = []): EngineProcess {
  const child = fork(entry, [], {
    execArgv: nodeOptions,
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  // However main ends, no engine outlives it.
  const kill = () => void child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))
  return {
    port: childPort(child),
    onExit: listen => void child.once('exit', listen),
    kill,
  }
}
