// What a caller may say on a port or a WebSocket. A page is as untrusted as a socket, so both are held to it.
import { z } from 'zod'
import type { ToServer } from '../../contract/messages.ts'

/** Batches that one message may ask for: without a bound, a producer that never waits would keep everyone else waiting. */
const MAX_CREDIT = 1000

const id = z.int().min(0)

export const toServer: z.ZodType<ToServer> = z.discriminatedUnion('t', [
  z.strictObject({
    t: z.literal('open'),
    id,
    name: z.string(),
    input: z.unknown().default({}),
    correlationId: z
      .string()
      .regex(/^[\x21-\x7e]{1,128}$/)
      .optional(),
  }),
  z.strictObject({ t: z.literal('credit'), id, n: z.int().min(1).max(MAX_CREDIT) }),
  z.strictObject({ t: z.literal('cancel'), id }),
])
