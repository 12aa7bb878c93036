// An answer once more, by its receipt.
import type { Context } from '../../../contract/capability.ts'
import { Failure } from '../../../contract/failure.ts'
import type { QueryMeta, Receipt } from '../../../contract/fields.ts'

export interface Answer<D = unknown> {
  data: D
  query: QueryMeta
}

export type AnswerAgain = (receipt: Receipt, context: Context) => Promise<Answer & { hash: string }>

/** A question as it was asked, without what was left out of it. */
export function asGiven(input: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined))
}

export function unfit(name: string): Failure {
  return new Failure('INVALID_INPUT', `query.input is not what ${name} is asked; give the receipt as it was given.`)
}
