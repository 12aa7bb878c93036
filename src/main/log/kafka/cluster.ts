// The brokers of one Kafka cluster: a link to each where there is one, and any of them for what all of them know.
import { setMaxListeners } from 'node:events'
import { Failure } from '../../../contract/failure.ts'
import { backoffMs, isTransient, sleepUnlessAborted } from '../../base/retry.ts'
import { KAFKA, kafkaFailure } from './errors.ts'
import { openLink, type KafkaAccess, type Link } from './link.ts'
import { metadataRequest, type Metadata, type TopicMetadata } from './metadata-request.ts'
import type { KafkaRequest } from './request.ts'

export type KafkaEvent =
  | { kind: 'broker_lost' | 'broker_back'; broker: string; message: string }
  | { kind: 'produce_retried' | 'producer_renewed'; topic: string; message: string }

export interface Cluster {
  readonly access: KafkaAccess
  readonly signal: AbortSignal
  readonly say: (event: KafkaEvent) => void
  /** Of the broker with this id, as the latest metadata has it. */
  address: (node: number) => string
  /** To this broker; opened when there is none. */
  link: (node: number) => Promise<Link>
  /** To whichever broker answers, the open ones first. */
  anyLink: () => Promise<Link>
  send: <T>(node: number, request: KafkaRequest<T>) => Promise<T>
  metadata: (topics: readonly string[] | null) => Promise<Metadata>
  /** NOT_FOUND when there is none of that name. Retries while it is being made or has no leader. */
  topic: (name: string) => Promise<TopicMetadata>
  close: () => void
}

/** A topic that was just made is not known to every broker at once, and is led by none for a moment. */
const SETTLE_TRIES = 6

export function openCluster(
  bootstrap: readonly string[],
  access: KafkaAccess,
  say: (event: KafkaEvent) => void,
): Cluster {
  const links = new Map<string, Promise<Link>>()
  const open = new Map<string, Link>()
  const lostBrokers = new Set<string>()
  const closing = new AbortController()
  // Whatever waits for a broker that is away listens to it, each for as long as it waits.
  setMaxListeners(0, closing.signal)
  let brokers = new Map<number, string>()

  function linkTo(address: string): Promise<Link> {
    if (closing.signal.aborted) return Promise.reject(new Failure('UNAVAILABLE', 'The log was closed.'))
    const known = links.get(address)
    if (known) return known.then(link => (link.isOpen() ? link : relink(address, known)))
    const opened = openLink(address, access, closing.signal)
    links.set(address, opened)
    opened.then(
      link => {
        open.set(address, link)
        if (lostBrokers.delete(address))
          say({ kind: 'broker_back', broker: address, message: `Kafka at ${address} is back` })
      },
      (error: Failure) => {
        if (links.get(address) === opened) links.delete(address)
        if (closing.signal.aborted || lostBrokers.has(address)) return
        lostBrokers.add(address)
        say({ kind: 'broker_lost', broker: address, message: error.message })
      },
    )
    return opened
  }

  function relink(address: string, old: Promise<Link>): Promise<Link> {
    if (links.get(address) === old) links.delete(address)
    return linkTo(address)
  }

  function address(node: number): string {
    const known = brokers.get(node)
    if (known === undefined) throw new Failure('UNAVAILABLE', `Broker ${node} of Kafka is not known yet.`)
    return known
  }

  async function anyLink(): Promise<Link> {
    const inUse = [...open].filter(([, link]) => link.isOpen()).map(([address]) => address)
    const others = shuffled([...brokers.values(), ...bootstrap])
    // Those that could not be reached last, as finding that out may take its time.
    others.sort((a, b) => Number(lostBrokers.has(a)) - Number(lostBrokers.has(b)))
    let last = new Failure('INVALID_INPUT', 'No Kafka broker is named; set K2_KAFKA_BROKERS.')
    for (const candidate of new Set([...inUse, ...others])) {
      try {
        return await linkTo(candidate)
      } catch (error) {
        // A wrong password is wrong everywhere; an address that nobody listens at says nothing of the others.
        if (error instanceof Failure && error.code === 'UNAUTHORIZED') throw error
        last = error as Failure
      }
    }
    throw last
  }

  async function metadata(topics: readonly string[] | null): Promise<Metadata> {
    const link = await anyLink()
    const answer = await link.send(metadataRequest(topics, link.versions))
    brokers = answer.brokers
    return answer
  }

  async function topic(name: string): Promise<TopicMetadata> {
    for (let attempt = 1; ; attempt++) {
      const failure = await metadata([name]).then(({ topics: [found] }) => {
        const code = found.code || found.partitions.find(({ leader }) => leader < 0)?.code || 0
        if (code === 0) return found
        if (code === KAFKA.UNKNOWN_TOPIC_OR_PARTITION)
          return new Failure('NOT_FOUND', `There is no topic ${name}; create it first (k2 topics init).`)
        return kafkaFailure(code, `Topic ${name} could not be looked up`)
      })
      if (!(failure instanceof Failure)) return failure
      if (failure.code === 'NOT_FOUND' || !failure.retryable || attempt === SETTLE_TRIES) throw failure
      await sleepUnlessAborted(backoffMs(attempt, 50, 1000), closing.signal)
    }
  }

  const link = async (node: number) => linkTo(address(node))
  return {
    access,
    signal: closing.signal,
    say,
    address,
    link,
    anyLink,
    send: async (node, request) => (await link(node)).send(request),
    metadata,
    topic,
    close() {
      closing.abort()
      for (const opened of links.values()) opened.then(link => link.close(), () => {}) // prettier-ignore
      links.clear()
    },
  }
}

/** Tries again what a moved leader, a lost broker or a busy one spoiled, with what the brokers say then. */
export async function withPatience<T>(signal: AbortSignal, tries: number, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (attempt >= tries || !isTransient(error) || signal.aborted) throw error
      await sleepUnlessAborted(backoffMs(attempt, 100, 10_000), signal)
    }
  }
}

export function checkCode(code: number, what: string, said: string | null = null): void {
  if (code !== KAFKA.NONE) throw kafkaFailure(code, what, said)
}

function shuffled<T>(items: readonly T[]): T[] {
  const mixed = [...items]
  for (let i = mixed.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1))
    ;[mixed[i], mixed[j]] = [mixed[j], mixed[i]]
  }
  return mixed
}
