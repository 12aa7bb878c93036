// The independent readers of Iceberg tables, out of pip and kept outside of the tree: PyIceberg, and DuckDB with its own
// Iceberg extension, which must be of DuckDB's version to the letter.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'

const PACKAGES = [
  // Its core, in Rust, knows the bucket transform.
  'pyiceberg[sql-sqlite,pyarrow,pyiceberg-core]==0.12.0',
  'duckdb==1.5.5',
  'duckdb-extension-avro==1.5.5',
  'duckdb-extension-httpfs==1.5.5',
  'duckdb-extension-iceberg==1.5.5',
]

let found: { missing?: string } | undefined

/** Looked for once a run, as it may have to be fetched. */
export function findPythonTools(): { missing?: string } {
  return (found ??= find())
}

/** What Python needs to see of them. */
export function pythonEnvironment(): NodeJS.ProcessEnv {
  const { missing } = findPythonTools()
  if (missing !== undefined) throw new Error(missing)
  return {
    ...process.env,
    PYTHONPATH: folder(),
    PYTHONNOUSERSITE: '1',
    PYTHONDONTWRITEBYTECODE: '1',
    TZ: 'UTC',
    // Else Arrow sends checksums as trailers, after which versitygw now and then misreads the connection's next request.
    AWS_REQUEST_CHECKSUM_CALCULATION: 'when_required',
  }
}

function find(): { missing?: string } {
  try {
    if (!existsSync(folder())) install()
    return {}
  } catch (error) {
    const [line] = String((error as { stderr?: Buffer }).stderr ?? error).split('\n')
    return { missing: `no PyIceberg: pip could not bring it: ${line}` }
  }
}

/** Named by what is in it, so that another list of packages is another folder. */
function folder(): string {
  const id = createHash('sha256').update(PACKAGES.join(' ')).digest('hex').slice(0, 12)
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'k2/python-lake', id)
}

/** Under another name until it is whole; of two at once the first stays. */
function install(): void {
  mkdirSync(dirname(folder()), { recursive: true })
  const partial = mkdtempSync(`${folder()}-`)
  try {
    const words = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target', partial, ...PACKAGES]
    execFileSync('python3', words, { stdio: ['ignore', 'ignore', 'pipe'] })
    renameSync(partial, folder())
  } catch (error) {
    rmSync(partial, { recursive: true, force: true })
    if (!existsSync(folder())) throw error
  }
}
