// What the Python loop from Kafka to Iceberg needs, out of pip and kept outside of the tree; PyIceberg is there for the tests.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'

import { delimiter, dirname, join } from 'node:path'
import { pythonEnvironment } from '../../tests/support/python-tools.ts'

const PACKAGES = ['confluent-kafka==2.6.1', 'fastavro==1.10.0']
const FOLDER = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'k2/python-stream', '1')

export interface PeerRun {
  rows: number
  found: number
  gaps: number
  seconds: number
  processor_seconds: number
  peak_megabytes: number
}

/** So many rows of the topic, from its beginning. */
export function runPythonLoop(bootstrap: string, registry: string, topic: string, rows: number): PeerRun {
  install()
  const environment = pythonEnvironment()
  const folder = mkdtempSync(join(tmpdir(), 'k2-bench-'))
  const script = join(import.meta.dirname, '../peers/kafka_to_iceberg.py')
  const printed = execFileSync('python3', [script, bootstrap, registry, topic, String(rows), folder], {
    env: { ...environment, PYTHONPATH: [FOLDER, environment.PYTHONPATH].join(delimiter) },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  rmSync(folder, { recursive: true })
  return JSON.parse(printed) as PeerRun
}

function install(): void {
  if (existsSync(FOLDER)) return
  mkdirSync(dirname(FOLDER), { recursive: true })
  const partial = mkdtempSync(`${FOLDER}-`)
  const words = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target', partial, ...PACKAGES]
  execFileSync('python3', words, { stdio: ['ignore', 'ignore', 'pipe'] })
  renameSync(partial, FOLDER)
}
