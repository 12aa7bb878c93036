// Receipts of differences: between which snapshots by their ids, as a tag may go on to another one, and where the clock of
// a replay session was.
import type { Context, Handlers } from '../../../contract/capability.ts'
import type { Difference, lake } from '../../../contract/lake.ts'
import { differenceQuery } from '../../../contract/receipts.ts'
import { choiceOf } from '../moments.ts'
import type { QueryTools } from '../tools.ts'
import { asGiven, unfit, type AnswerAgain } from './again.ts'
import { hashRows } from './hash-rows.ts'
import type { Repeatable } from './repeatable.ts'

const NAME = 'snapshots.diff'

type Diff = Handlers<typeof lake>[typeof NAME]
/** Only rows from before `untilMicros`. */
type DiffUntil = (input: Parameters<Diff>[0], context: Context, untilMicros?: number) => ReturnType<Diff>

export function repeatableDifferences(
  { reads }: Pick<QueryTools, 'reads'>,
  diff: DiffUntil,
): Repeatable<Record<typeof NAME, DiffUntil>> {
  const answered: DiffUntil = async ({ receipt, ...input }, context, untilMicros = Infinity) => {
    if (!receipt) return diff(input, context, untilMicros)
    const idOf = async (name: string) =>
      (await reads.at(input.table, choiceOf({ snapshot_id: name }), context.signal)).snapshotId!
    const asked = { ...input, a: await idOf(input.a), b: await idOf(input.b) }
    const answer = await diff(asked, context, untilMicros)
    const until_micros = Number.isFinite(untilMicros) ? untilMicros : undefined
    const given = {
      snapshot: asked.b,
      offsets: [],
      query: { name: NAME, input: asGiven({ ...asked, until_micros }) },
      hash: await hashDifference(answer.data),
    }
    return { ...answer, query: { ...answer.query, receipt: given } }
  }

  const again: AnswerAgain = async (receipt, context) => {
    const asked = differenceQuery.safeParse(receipt.query.input)
    if (!asked.success) throw unfit(NAME)
    const { until_micros, ...input } = asked.data
    const { data, query } = await diff(input, context, until_micros)
    return { data, query, hash: await hashDifference(data) }
  }

  return { handlers: { [NAME]: answered }, again: { [NAME]: again } }
}

function hashDifference({ rows, ...counts }: Difference): Promise<string> {
  return hashRows(rows, { above: counts })
}
