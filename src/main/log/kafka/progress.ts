// Offsets of a group, for Kafka's own tools that show lag: K2 reads without groups and never starts from these.
import { findCoordinatorRequest, offsetCommitRequest } from './admin-requests.ts'
import { checkCode, withPatience, type Cluster } from './cluster.ts'

/** The first commit in a cluster makes Kafka's own topic for them, which takes a moment. */
const TRIES = 8

export type NoteProgress = (group: string, topic: string, next: Readonly<Record<string, number>>) => Promise<void>

export function createNoteProgress(cluster: Cluster): NoteProgress {
  const coordinators = new Map<string, number>()

  async function coordinatorOf(group: string): Promise<number> {
    const known = coordinators.get(group)
    if (known !== undefined) return known
    await cluster.metadata([])
    const link = await cluster.anyLink()
    const { code, node } = await link.send(findCoordinatorRequest(group))
    checkCode(code, `The coordinator of group ${group} could not be found`)
    coordinators.set(group, node)
    return node
  }

  return (group, topic, next) =>
    withPatience(cluster.signal, TRIES, async () => {
      try {
        const answers = await cluster.send(await coordinatorOf(group), offsetCommitRequest(group, topic, next))
        for (const { partition, code } of answers)
          checkCode(code, `The offset of group ${group} in partition ${partition} of ${topic} could not be noted`)
      } catch (error) {
        coordinators.delete(group)
        throw error
      }
    })
}
