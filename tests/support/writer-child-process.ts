// The writer's process as the product runs it, that dies or stands still at a step when a test says so, and whose clock can
// be set back a day.
import { parentPort } from '../../src/main/host/ports.ts'
import { serveEngine } from '../../src/main/host/serve-engine.ts'
import {
  startWriterEngine,
  writerContract,
  type WriterEngineOptions,
  type WriterHooks,
} from '../../src/main/processes/writer.ts'
import type { ChildFaults } from './writer-child.ts'

const DAY_MS = 86_400_000

const { at, halfOpenAfterMs, leaseTimes } = JSON.parse(process.argv[2]) as ChildFaults
let countdown = at?.nth ?? 0
let shiftMs = 0

const onStep: WriterHooks['onStep'] = (step, table) => {
  if (!at || step !== at.step || (at.table !== undefined && at.table !== table) || --countdown !== 0) return
  const act = () => process.kill(process.pid, at.signal ?? 'SIGKILL')
  if (at.afterMs === undefined) act()
  else setTimeout(act, at.afterMs)
}

const WallDate = Date
class ShiftedDate extends WallDate {
  constructor(...words: [] | [number]) {
    super(...(words.length === 0 ? ([WallDate.now() + shiftMs] as const) : words))
  }
  static override now = () => WallDate.now() + shiftMs
}
globalThis.Date = ShiftedDate as DateConstructor
process.on('SIGUSR2', () => (shiftMs -= DAY_MS))

serveEngine(parentPort(), writerContract, options =>
  startWriterEngine(
    options as WriterEngineOptions,
    () => {
      throw new Error('There is no log here but Kafka.')
    },
    { onStep, halfOpenAfterMs, leaseTimes },
  ),
)
