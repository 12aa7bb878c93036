// Starts an engine process under plain Node; Electron's twin is shell/utility-host.ts.
import { fork, type ChildProcess } from 'node:child_process'
import { childPort } from './ports.ts'
import type { EngineProcess } from './supervise.ts'

/** With `env` beside the environment of this process. */
export function forkEngine(entry: string, env: NodeJS.ProcessEnv = {}, nodeOptions: string[] = []): EngineProcess {
  const child = fork(entry, [], {
    execArgv: nodeOptions,
    env: { ...process.env, ...env },
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  // However main ends, no engine outlives it.
  const kill = () => void child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))
  return {
    port: childPort(child),
    onExit: listen => onEnd(child, listen),
    kill,
  }
}

/** Once, when it has ended or could not even be started. */
function onEnd(child: ChildProcess, listen: (code: number | null) => void): void {
  let ended = false
  const end = (code: number | null) => {
    if (!ended) listen(code)
    ended = true
  }
  child.once('exit', end)
  child.once('error', () => end(null))
}
