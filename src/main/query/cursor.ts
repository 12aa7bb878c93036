// Cursors: where an answer goes on, signed, so that nobody but K2 can make one. Their key is kept with the profile, so
// that one that was given out before a restart goes on after it.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { chmodSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { Failure } from '../../contract/failure.ts'
import type { TableId } from '../../contract/tables.ts'
import type { LakeReads, TableAt } from '../lake/reads.ts'

export interface Cursors<P> {
  /** `query` is what the cursor is good for: given back with another one, it is refused. */
  sign: (place: P, query: string) => string
  open: (cursor: string, query: string) => P
}

const KEY_BYTES = 32
const MAC_BYTES = 18

/** `kind` keeps cursors of one sort of answer apart from those of another. */
export function createCursors<P>(key: Buffer, kind: string): Cursors<P> {
  const macOf = (payload: string, query: string) =>
    createHmac('sha256', key)
      .update(JSON.stringify([kind, query, payload]))
      .digest()
      .subarray(0, MAC_BYTES)
  return {
    sign(place, query) {
      const payload = Buffer.from(JSON.stringify(place)).toString('base64url')
      return `${payload}.${macOf(payload, query).toString('base64url')}`
    },
    open(text, query) {
      const [payload = '', given = '', ...more] = text.split('.')
      const mac = Buffer.from(given, 'base64url')
      if (more.length > 0 || mac.length !== MAC_BYTES || !timingSafeEqual(mac, macOf(payload, query))) throw refused()
      return JSON.parse(Buffer.from(payload, 'base64url').toString()) as P
    },
  }
}

/** The state that a cursor goes on in, by its id. */
export async function stateOfCursor(
  reads: Pick<LakeReads, 'at'>,
  table: TableId,
  snapshotId: string,
  signal?: AbortSignal,
): Promise<TableAt> {
  try {
    return await reads.at(table, { snapshotId }, signal)
  } catch (error) {
    if (!(error instanceof Failure && error.code === 'SNAPSHOT_NOT_FOUND')) throw error
    const what = `The snapshot ${snapshotId} of ${table} that the cursor goes on in has expired.`
    const advice = 'Begin again without a cursor, or tag a snapshot that is to be walked for long.'
    throw new Failure('SNAPSHOT_NOT_FOUND', `${what} ${advice}`, { details: error.details, cause: error })
  }
}

function refused(): Failure {
  const what = 'none of this query: it was changed, or belongs to another query or another K2'
  const advice = 'Ask without one for the first page, and give each next_cursor back with the same fields'
  const problem = `${what}. ${advice}`
  return new Failure('INVALID_INPUT', `cursor: ${problem}.`, { details: [{ field: 'cursor', problem }] })
}

/** Made when it is not there; in a folder that cannot be written to it is good until this process ends. */
export function loadCursorKey(file: string): Buffer {
  const found = readKey(file)
  if (found) return found
  const made = randomBytes(KEY_BYTES)
  const draft = `${file}.${process.pid}.draft`
  try {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(draft, made.toString('hex'), { mode: 0o600 })
    chmodSync(draft, 0o600)
    // Whole or not at all, and never over the one that another process has just made.
    linkSync(draft, file)
  } catch {
    return readKey(file) ?? made
  } finally {
    rmSync(draft, { force: true })
  }
  return made
}

function readKey(file: string): Buffer | undefined {
  try {
    const key = Buffer.from(readFileSync(file, 'latin1').trim(), 'hex')
    return key.length === KEY_BYTES ? key : undefined
  } catch {
    return undefined
  }
}
