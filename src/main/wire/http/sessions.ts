// Who may use the page in a browser: one-time tokens from the command line, exchanged for a session in a cookie.
import { randomBytes } from 'node:crypto'

const TOKEN_MINUTES = 10
/** Tokens and sessions kept at once; the oldest make room. */
const MAX_KEPT = 100

export interface Sessions {
  /** Valid for ten minutes and for one use. */
  issueToken(): string
  /** The id of a new session, if the token was good; it is used up. */
  exchangeToken(token: string): string | undefined
  has(session: string): boolean
}

export function createSessions(nowMs: () => number = () => performance.now()): Sessions {
  const tokens = new Map<string, number>()
  const sessions = new Set<string>()

  return {
    issueToken() {
      const token = secret()
      tokens.set(token, nowMs() + TOKEN_MINUTES * 60_000)
      if (tokens.size > MAX_KEPT) tokens.delete(tokens.keys().next().value!)
      return token
    },
    exchangeToken(token) {
      const validUntil = tokens.get(token)
      tokens.delete(token)
      if (validUntil === undefined || validUntil <= nowMs()) return undefined
      const session = secret()
      sessions.add(session)
      if (sessions.size > MAX_KEPT) sessions.delete(sessions.keys().next().value!)
      return session
    },
    has: session => sessions.has(session),
  }
}

/** 256 random bits: looking one up tells nothing of another, so a plain map will do. */
function secret(): string {
  return randomBytes(32).toString('base64url')
}

/** The value of one cookie out of a Cookie header. */
export function cookieOf(header: string | undefined, name: string): string | undefined {
  const pair = header?.split(';').find(part => part.trim().startsWith(`${name}=`))
  return pair?.trim().slice(name.length + 1)
}
