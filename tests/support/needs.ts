// What a test needs of the machine beside Node: whether it is there, and if not, the reason, which then stands in the test's name.
import { findChromium } from './chromium.ts'
import { findTestElectron } from './find-test-electron.ts'
import { findIcebergRest } from './iceberg-rest.ts'
import { findKafka } from './kafka-broker.ts'
import { findPromtool } from './promtool.ts'
import { findPythonTools } from './python-tools.ts'
import { findRegistry } from './registry-server.ts'
import { findS3Server } from './s3-server.ts'
import { findSchemathesis } from './schemathesis.ts'

export type Need =
  | 'chromium'
  | 'electron'
  | 'promtool'
  | 's3'
  | 'schemathesis'
  | 'pyiceberg'
  | 'iceberg-rest'
  | 'kafka'
  | 'kafka-3.9'
  | 'registry'

export interface Needed {
  /** For `describe.skipIf`: something is missing, and this run may skip. */
  skip: boolean
  /** To be put behind a name: empty, or why it is skipped. */
  because: string
}

const lookups: Record<Need, () => { missing?: string }> = {
  chromium: findChromium,
  electron: findTestElectron,
  'iceberg-rest': findIcebergRest,
  kafka: findKafka,
  'kafka-3.9': () => findKafka('3.9.2'),
  promtool: findPromtool,
  pyiceberg: findPythonTools,
  registry: findRegistry,
  s3: findS3Server,
  schemathesis: findSchemathesis,
}

/** With K2_REQUIRE_ALL=1 nothing is skipped: the test runs and fails with the reason; K2_REQUIRE_ELECTRON=1 asks for the real one. */
export function needs(what: Need): Needed {
  const { missing } = lookups[what]()
  const { K2_REQUIRE_ALL, K2_REQUIRE_ELECTRON } = process.env
  const required = K2_REQUIRE_ALL === '1' || (what === 'electron' && K2_REQUIRE_ELECTRON === '1')
  if (missing === undefined || required) return { skip: false, because: '' }
  return { skip: true, because: ` (skipped: ${missing})` }
}
