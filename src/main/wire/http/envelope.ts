// The one shape of every JSON answer: success with data, or failure with its code.
import { timestampText } from '../../../contract/columns.ts'
import type { Failure } from '../../../contract/failure.ts'
import { answers } from '../../../contract/fields.ts'
import type { Capability } from '../../../contract/capability.ts'
import { joinBytes, toJson } from '../to-json.ts'

export const JSON_TYPE = 'application/json; charset=utf-8'

/** What `answer()` made is unpacked: its data, where it came from, how to go on. Any other output is the data. */
export function successBody({ output }: Capability, answer: unknown, correlationId: string): Buffer {
  const parts = answers.has(output)
    ? (answer as { data: unknown; query: unknown; pagination?: unknown })
    : { data: answer }
  const { data, query, pagination } = { query: undefined, pagination: undefined, ...parts }
  return joinBytes([
    '{"success":true,"data":',
    toJson(data),
    ',"meta":',
    toJson({ ...meta(correlationId), query }),
    ...(pagination === undefined ? [] : [',"pagination":', toJson(pagination)]),
    '}',
  ])
}

/** `data` goes along where a failure is itself an answer: the dependencies of an unhealthy program. */
export function failureBody(failure: Failure, correlationId: string, data?: unknown): Buffer {
  return toJson({ success: false, data, error: failure.toWire(), meta: meta(correlationId) })
}

function meta(correlationId: string) {
  return { correlation_id: correlationId, timestamp: timestampText(Date.now() * 1000) }
}
