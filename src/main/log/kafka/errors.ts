// Kafka's error codes: which pass by themselves, and what the others mean to whoever runs this.
import { Failure, type FailureCode } from '../../../contract/failure.ts'

export const KAFKA = {
  NONE: 0,
  OFFSET_OUT_OF_RANGE: 1,
  UNKNOWN_TOPIC_OR_PARTITION: 3,
  MESSAGE_TOO_LARGE: 10,
  RECORD_LIST_TOO_LARGE: 18,
  TOPIC_ALREADY_EXISTS: 36,
  OUT_OF_ORDER_SEQUENCE_NUMBER: 45,
  DUPLICATE_SEQUENCE_NUMBER: 46,
  INVALID_PRODUCER_EPOCH: 47,
  UNKNOWN_PRODUCER_ID: 59,
  PRODUCER_FENCED: 90,
} as const

/** By code; those with a third entry do not pass by themselves and fail with it. */
const CODES: Readonly<Record<number, readonly [name: string, meaning: string, failsAs?: FailureCode]>> = {
  [-1]: ['UNKNOWN_SERVER_ERROR', 'the broker failed without saying why'],
  1: ['OFFSET_OUT_OF_RANGE', 'the offset is not held', 'OFFSET_OUT_OF_RANGE'],
  2: ['CORRUPT_MESSAGE', 'a message is damaged', 'CORRUPT'],
  3: ['UNKNOWN_TOPIC_OR_PARTITION', 'the topic or partition does not exist, or not yet on this broker'],
  5: ['LEADER_NOT_AVAILABLE', 'the partition has no leader just now'],
  6: ['NOT_LEADER_OR_FOLLOWER', 'another broker leads the partition now'],
  7: ['REQUEST_TIMED_OUT', 'the brokers did not agree in time'],
  8: ['BROKER_NOT_AVAILABLE', 'the broker is not available'],
  9: ['REPLICA_NOT_AVAILABLE', 'the replica is not available'],
  10: ['MESSAGE_TOO_LARGE', 'a message is larger than the topic allows (max.message.bytes)', 'PAYLOAD_TOO_LARGE'],
  13: ['NETWORK_EXCEPTION', 'a broker was cut off'],
  14: ['COORDINATOR_LOAD_IN_PROGRESS', 'the coordinator is starting'],
  15: ['COORDINATOR_NOT_AVAILABLE', 'there is no coordinator yet'],
  16: ['NOT_COORDINATOR', 'another broker coordinates now'],
  17: ['INVALID_TOPIC_EXCEPTION', 'Kafka does not allow such a topic name', 'INVALID_INPUT'],
  18: ['RECORD_LIST_TOO_LARGE', 'a batch is larger than the broker allows', 'PAYLOAD_TOO_LARGE'],
  19: ['NOT_ENOUGH_REPLICAS', 'too few replicas are in sync'],
  20: ['NOT_ENOUGH_REPLICAS_AFTER_APPEND', 'too few replicas are in sync'],
  25: ['UNKNOWN_MEMBER_ID', 'the group has members of its own, and only they may commit offsets', 'CONFLICT'],
  29: [
    'TOPIC_AUTHORIZATION_FAILED',
    'this user may not do that with the topic; give it the right by an ACL',
    'FORBIDDEN',
  ],
  30: ['GROUP_AUTHORIZATION_FAILED', 'this user may not use the group; give it the right by an ACL', 'FORBIDDEN'],
  31: [
    'CLUSTER_AUTHORIZATION_FAILED',
    'this user may not do that in the cluster; give it the right by an ACL',
    'FORBIDDEN',
  ],
  32: ['INVALID_TIMESTAMP', 'the topic does not take messages of that time', 'INVALID_INPUT'],
  36: ['TOPIC_ALREADY_EXISTS', 'the topic exists', 'CONFLICT'],
  37: ['INVALID_PARTITIONS', 'Kafka does not allow that number of partitions', 'INVALID_INPUT'],
  38: ['INVALID_REPLICATION_FACTOR', 'there are not that many brokers for copies', 'INVALID_INPUT'],
  40: ['INVALID_CONFIG', 'Kafka does not know such a setting or value', 'INVALID_INPUT'],
  41: ['NOT_CONTROLLER', 'another broker is the controller now'],
  42: ['INVALID_REQUEST', 'Kafka does not understand the request', 'INVALID_INPUT'],
  44: ['POLICY_VIOLATION', 'a policy of the cluster forbids it', 'FORBIDDEN'],
  45: ['OUT_OF_ORDER_SEQUENCE_NUMBER', 'the broker has lost count of this producer'],
  47: ['INVALID_PRODUCER_EPOCH', 'another producer has taken this identity'],
  56: ['KAFKA_STORAGE_ERROR', "the broker's disk failed"],
  58: ['SASL_AUTHENTICATION_FAILED', 'the user or password is wrong', 'UNAUTHORIZED'],
  59: ['UNKNOWN_PRODUCER_ID', 'the broker has forgotten this producer'],
  74: ['FENCED_LEADER_EPOCH', 'another broker leads the partition now'],
  75: ['UNKNOWN_LEADER_EPOCH', 'the broker does not know yet that it leads the partition'],
  87: ['INVALID_RECORD', 'the topic does not take such a message; a compacted one wants a key', 'INVALID_INPUT'],
  100: ['UNKNOWN_TOPIC_ID', 'the topic does not exist any more, or not yet on this broker'],
  103: ['INCONSISTENT_TOPIC_ID', 'the topic was made anew'],
  90: ['PRODUCER_FENCED', 'another producer has taken this identity'],
}

/** `what` says what was tried, as in "Topic x could not be read". */
export function kafkaFailure(code: number, what: string, said: string | null = null): Failure {
  const [name, meaning, failsAs = 'UNAVAILABLE'] = CODES[code] ?? [
    `error ${code}`,
    'an error this version does not know',
  ]
  return new Failure(failsAs, `${what}: ${said ?? meaning} (Kafka says ${name}).`, { details: { kafka: name } })
}

/** Whether it may be gone when tried again, perhaps at another broker. */
export function passes(code: number): boolean {
  return CODES[code]?.[2] === undefined
}
