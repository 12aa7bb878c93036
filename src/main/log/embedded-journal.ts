// The embedded log's journal: what it held before comes back at the start, with the same offsets; what comes in is written
// before anybody can see it.
import { isSameBoot, noteBoot } from '../base/running.ts'
import { Failure } from '../../contract/failure.ts'
import type { EmbeddedMemory, EmbeddedTopic, KeyPlace } from './embedded-memory.ts'
import { rangeOf, skipTo } from './embedded-partition.ts'
import {
  createMessageEncoder,
  readMessages,
  readState,
  RECORD,
  stateRecord,
  type JournaledMessages,
  type LogState,
} from './embedded-record.ts'
import { lostRecordOf, skipLost } from './embedded-lost.ts'
import { openJournal, type JournalOptions, type JournalRun } from './journal.ts'
import { recordOf, type JournalRecord } from './journal-record.ts'
import type { Produced } from './message-log.ts'

export interface EmbeddedJournalOptions {
  folder: string
  memory: EmbeddedMemory
  maxBytes: number
  /** Of a log that begins here; one that is found keeps its own. */
  cluster: string
  onWarning: (why: string) => void
  files?: JournalOptions['files']
}

export interface EmbeddedJournal {
  cluster: string
  /** Before the messages get their offsets; UNAVAILABLE and nothing taken when the disk does not take it. */
  writeMessages: (topic: EmbeddedTopic, messages: Produced, time: number, places: readonly KeyPlace[]) => void
  /** The topic that keeps its oldest file, where all are too many. */
  fullOf: () => string | undefined
  /** Once topics were added; UNAVAILABLE when the disk does not take it. */
  writeState: () => void
  close: () => void
}

/** Retention removes whole files, so one is to be a small part of all there may be. */
const FILES_IN_LOG = 16
const MAX_FILE_BYTES = 16 * 1024 * 1024
const MIN_FILE_BYTES = 16 * 1024
/** The files hold what memory holds; when a quiet partition keeps an old file alive, at most so much more. */
const MOST_OF_MEMORY = 2
/**
 * After a loss of power the last second's messages may be gone though somebody read them. Nobody shall take others for
 * them, so the offsets that they may have had are left out: more than can come in in any second.
 */
const OFFSETS_LEFT_OUT = 10_000_000

export function openEmbeddedJournal(options: EmbeddedJournalOptions): EmbeddedJournal {
  const { folder, memory, maxBytes, onWarning, files } = options
  const mostBytes = maxBytes * MOST_OF_MEMORY
  const numbers = new Map<EmbeddedTopic, number>()
  const encoder = createMessageEncoder()
  let cluster: string | undefined
  let isIntact = true
  let isCut = false

  function restore({ records, isAfterDamage }: JournalRun): void {
    if (isAfterDamage) memory.dropMessages()
    for (const record of records) {
      if (record.type === RECORD.messages) restoreMessages(memory, readMessages(record))
      if (record.type === RECORD.state) {
        const state = readState(record)
        cluster = state.cluster
        isIntact = isSameBoot(state.boot)
        restoreState(memory, state)
      }
      if (record.type === RECORD.lost) skipLost(memory, record)
      if (record.type === RECORD.closed) isIntact = true
    }
  }

  const journal = openJournal({
    folder,
    fileBytes: Math.min(MAX_FILE_BYTES, Math.max(MIN_FILE_BYTES, Math.floor(maxBytes / FILES_IN_LOG))),
    maxBytes: mostBytes,
    onRecords: restore,
    mend: damaged => lostRecordOf(memory, damaged),
    onCut: () => (isCut = true),
    onDamage: onWarning,
    files,
  })
  const identity = cluster ?? options.cluster

  function state(): Buffer {
    const topics = [...memory.topics.values()]
    topics.forEach((topic, number) => numbers.set(topic, number))
    return stateRecord({
      version: 1,
      cluster: identity,
      boot: noteBoot(),
      topics: topics.map(({ name, partitions }) => ({
        name,
        next: partitions.map(({ next }) => next),
        // JSON has no Infinity: it becomes null.
        held: partitions.map(({ index }) => memory.heldFrom(name, index)),
      })),
    })
  }

  function writeState(): void {
    if (!journal.isFull()) return journal.append(state())
    journal.begin(state())
    trim()
  }

  function trim(): void {
    journal.trim(
      nextHead => readState(nextHead).topics.every(({ name, next }) => isGone(memory, name, next)),
      nextHead => holderOf(memory, nextHead) !== undefined,
    )
  }

  try {
    if (!isIntact || isCut) {
      const partitions = [...memory.topics.values()].flatMap(topic => topic.partitions)
      for (const partition of partitions) skipTo(partition, partition.next + OFFSETS_LEFT_OUT)
      if (!isCut)
        onWarning(`The log in ${folder} was not closed before the machine went down; its last second may be lost.`)
    }
    writeState()
  } catch (error) {
    journal.close()
    throw error
  }

  return {
    cluster: identity,
    writeMessages(topic, messages, time, places) {
      if (journal.isFull()) writeState()
      journal.append(encoder.encode(numbers.get(topic)!, messages, time, places))
    },
    fullOf() {
      if (journal.bytes() <= mostBytes) return undefined
      trim()
      const nextHead = journal.bytes() > mostBytes ? journal.secondHead() : undefined
      return nextHead && holderOf(memory, nextHead)
    },
    writeState,
    close() {
      try {
        journal.append(recordOf(RECORD.closed, new Uint8Array(0)))
      } catch {
        // No room to say that all is well: the next start takes it for a crash, and leaves some offsets out.
      }
      journal.close()
    },
  }
}

function restoreState(memory: EmbeddedMemory, { version, topics }: LogState): void {
  if (version !== 1)
    throw new Failure(
      'CORRUPT',
      `The log was written by a newer K2 (form ${String(version)}). Use that, or another profile.`,
    )
  for (const { name, next, held = [] } of topics) {
    memory.keepFrom(name, held)
    const { partitions } = memory.topics.get(name) ?? memory.addTopic(name, next.length)
    // What came before was removed or left out.
    for (const partition of partitions)
      if (next[partition.index] > partition.next) skipTo(partition, next[partition.index])
  }
}

function restoreMessages(memory: EmbeddedMemory, messages: JournaledMessages): void {
  const { partitions } = [...memory.topics.values()][messages.topic]
  for (let i = 0; i < messages.count; i++) {
    memory.add(partitions[messages.partitionAt(i)], messages.keyAt(i), messages.valueAt(i), messages.timeAt(i))
  }
}

/** Whether memory holds nothing of this topic before these offsets any more. */
function isGone(memory: EmbeddedMemory, name: string, next: readonly number[]): boolean {
  return memory.topics.get(name)!.partitions.every(partition => rangeOf(partition).earliest >= next[partition.index])
}

/** A topic that holds messages of before these offsets. */
function holderOf(memory: EmbeddedMemory, nextHead: JournalRecord): string | undefined {
  const { topics } = readState(nextHead)
  const holds = ({ name, next }: LogState['topics'][number]) =>
    memory.topics.get(name)!.partitions.some(partition => {
      const end = next[partition.index] ?? 0
      return memory.heldFrom(name, partition.index) < end && rangeOf(partition).earliest < end
    })
  return topics.find(holds)?.name
}
