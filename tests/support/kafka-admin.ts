// What only an administrator of a broker does: topics deleted, and messages removed as retention does it.
import { Kafka, logLevel } from 'kafkajs'
import { waitFor } from './stream-wait.ts'

async function withAdmin<T>(bootstrap: string, work: (admin: ReturnType<Kafka['admin']>) => Promise<T>): Promise<T> {
  const admin = new Kafka({ brokers: [bootstrap], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    return await work(admin)
  } finally {
    await admin.disconnect()
  }
}

/** Gone when this resolves, so that it can be made anew. */
export async function deleteTopic(bootstrap: string, topic: string): Promise<void> {
  await withAdmin(bootstrap, async admin => {
    await admin.deleteTopics({ topics: [topic] })
    await waitFor(`${topic} to be gone`, async () => ((await admin.listTopics()).includes(topic) ? undefined : true))
  })
}

/** The partition begins at this offset then. */
export async function removeUpTo(bootstrap: string, topic: string, partition: number, offset: number): Promise<void> {
  await withAdmin(bootstrap, async admin => {
    await admin.fetchTopicOffsets(topic) // else it does not know the leader
    await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] })
  })
}
