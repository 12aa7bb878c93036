// Questions that read several tables, more than rows or a replay, with receipts: each is answered again by the same
// handlers, over the states that its answer stood on.
import type { Capability, Context } from '../../../contract/capability.ts'
import { Failure } from '../../../contract/failure.ts'
import type { Receipt } from '../../../contract/fields.ts'
import { pinnedQuestion } from '../../../contract/receipts.ts'
import { hashData } from './hash-rows.ts'
import { asGiven, unfit, type Answer, type AnswerAgain } from './again.ts'
import { noteStanding, pinnedStanding, type NotedStanding, type Standing } from './pins.ts'

type Ask = (input: Record<string, unknown>, context: Context) => Promise<Answer>

export interface Repeatable<H> {
  handlers: H
  /** For receipts, by the name of the query. */
  again: Record<string, AnswerAgain>
}

/** `make` gives the handlers of these capabilities over any standing. */
export function repeatable<H extends object>(
  standing: Standing,
  capabilities: Readonly<Record<keyof H, Capability>>,
  make: (standing: Standing) => H,
): Repeatable<H> {
  const plain = make(standing)
  const names = Object.keys(plain) as (keyof H & string)[]
  /** They read much in many queries, so their time is limited as a whole. */
  const askOf = (handlers: H, name: keyof H): Ask => {
    const ask = handlers[name] as unknown as Ask
    return (input, context) => standing.tools.pool.within(signal => ask(input, { ...context, signal }), context.signal)
  }

  async function answered(name: keyof H & string, { receipt, ...input }: Record<string, unknown>, context: Context) {
    if (!receipt) return askOf(plain, name)(input, context)
    const noted = noteStanding(standing)
    const answer = await askOf(make(noted), name)(input, context)
    return { ...answer, query: { ...answer.query, receipt: await receiptOf(name, input, context, answer, noted) } }
  }

  async function again(name: keyof H & string, { query }: Receipt, context: Context) {
    const { tables, now_micros, door, ...rest } = parsed(name, pinnedQuestion, query.input)
    const input = parsed(name, capabilities[name].input, rest) as Record<string, unknown>
    const pinned = pinnedStanding(standing.tools, tables, now_micros)
    const answer = await askOf(make(pinned), name)(input, { ...context, door })
    if (pinned.lost()) throw pinned.lost()
    if (answer.query.partial)
      throw new Failure('UNAVAILABLE', `The answer cannot be given again now. ${answer.query.why}`)
    return { ...answer, hash: await hashData(answer.data) }
  }

  const each = <T>(of: (name: keyof H & string) => T) => Object.fromEntries(names.map(name => [name, of(name)]))
  return {
    handlers: each(name => (input: Record<string, unknown>, context: Context) => answered(name, input, context)) as H,
    again: each<AnswerAgain>(name => (receipt, context) => again(name, receipt, context)),
  }
}

/** Null where something is missing that will be there another time, or where rows were told apart one by one. */
async function receiptOf(
  name: string,
  input: Record<string, unknown>,
  { door }: Context,
  { data, query }: Answer,
  { pins, nowMicros, isRepeatable }: NotedStanding,
): Promise<Receipt | null> {
  if (query.partial || !isRepeatable()) return null
  return {
    snapshot: query.snapshot_id,
    offsets: Object.values(pins).flatMap(({ to = [] }) => to),
    query: { name, input: { ...asGiven(input), tables: pins, now_micros: nowMicros, door } },
    hash: await hashData(data),
  }
}

interface Schema<T> {
  safeParse: (value: unknown) => { success: boolean; data?: T }
}

function parsed<T>(name: string, schema: Schema<T>, value: unknown): T {
  const { success, data } = schema.safeParse(value)
  if (!success) throw unfit(name)
  return data!
}
