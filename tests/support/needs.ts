// What a test needs of the machine beside Node: whether it is there, and if not, the reason, which then stands in the test's name.
import { findChromium } from './chromium.ts'
import { findPromtool } from './promtool.ts'

export type Need = 'chromium' | 'promtool'

export interface Needed {
  /** For `describe.skipIf`: something is missing, and this run may skip. */
  skip: boolean
  /** To be put behind a name: empty, or why it is skipped. */
  because: string
}

const lookups: Record<Need, () => { missing?: string }> = {
  chromium: findChromium,
  promtool: findPromtool,
}

/** With K2_REQUIRE_ALL=1 nothing is skipped: the test runs and fails with the reason. */
export function needs(what: Need): Needed {
  const { missing } = lookups[what]()
  if (missing === undefined || process.env.K2_REQUIRE_ALL === '1') return { skip: false, because: '' }
  return { skip: true, because: ` (skipped: ${missing})` }
}
