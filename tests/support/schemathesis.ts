// The OpenAPI fuzzer schemathesis, out of pip and kept outside of the tree.
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'

const VERSION = '4.32.5'

let found: { missing?: string } | undefined

/** Looked for once a run, as it may have to be fetched. */
export function findSchemathesis(): { missing?: string } {
  return (found ??= find())
}

function find(): { missing?: string } {
  try {
    if (!existsSync(folder())) install()
    return {}
  } catch (error) {
    const [line] = String((error as { stderr?: Buffer }).stderr ?? error).split('\n')
    return { missing: `no schemathesis ${VERSION}: pip could not bring it: ${line}` }
  }
}

function folder(): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), `k2/schemathesis/${VERSION}`)
}

/** Under another name until it is whole, so that an interrupted one is not taken for it. */
function install(): void {
  mkdirSync(dirname(folder()), { recursive: true })
  const partial = mkdtempSync(`${folder()}-`)
  const words = ['-m', 'pip', 'install', '--quiet', '--target', partial, `schemathesis==${VERSION}`]
  execFileSync('python3', words, { stdio: ['ignore', 'ignore', 'pipe'] })
  renameSync(partial, folder())
}

/** What it says, and its exit code: 0 when it found nothing. Ends with `signal`. */
export async function runSchemathesis(words: readonly string[], signal: AbortSignal) {
  const { missing } = findSchemathesis()
  if (missing !== undefined) throw new Error(missing)
  // Its database of examples stays out of the tree; each run starts afresh anyway.
  const env = {
    ...process.env,
    PYTHONPATH: folder(),
    NO_COLOR: '1',
    HYPOTHESIS_STORAGE_DIRECTORY: join(folder(), 'examples'),
  }
  const child = spawn('python3', ['-m', 'schemathesis.cli', ...words], {
    cwd: folder(),
    env,
    signal,
    killSignal: 'SIGKILL',
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said += text))
  const code = await new Promise<number | null>((resolve, reject) => child.once('close', resolve).once('error', reject))
  return { code, said }
}
