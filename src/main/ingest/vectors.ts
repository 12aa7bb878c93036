// Comparing and moving what tables say of how far the log is in them.
import { nextOf, offsetIn, type OffsetVector, type TopicOffsets } from '../market/topic-offsets.ts'

/** What it says of the topics of another, whatever log they were in. */
export function sameTopics(of: OffsetVector, vector: OffsetVector): OffsetVector {
  return vector.filter(({ topic }) => of.some(own => own.topic === topic))
}

/** Whether `vector` says just that of every partition that `said` names. */
export function says(vector: OffsetVector, said: OffsetVector): boolean {
  return said.every(own => {
    const next = nextOf(vector, own)
    return Object.entries(own.next).every(([partition, offset]) => next[partition] === offset)
  })
}

/** Whether it says the same as `before` of every partition that `to` names: that nobody has moved them. */
export function isUnmoved(now: OffsetVector, before: OffsetVector, to: OffsetVector): boolean {
  return to.every(own =>
    Object.keys(own.next).every(partition => offsetIn(now, own, partition) === offsetIn(before, own, partition)),
  )
}

/** `to`, but in no partition behind where `vector` is. */
export function notBehind(vector: OffsetVector, to: OffsetVector): OffsetVector {
  return to.map(own => {
    const ahead = nextOf(vector, own)
    const next = Object.entries(own.next).map(([partition, offset]) => [
      partition,
      Math.max(offset, ahead[partition] ?? 0),
    ])
    return { ...own, next: Object.fromEntries(next) as Record<string, number> }
  })
}

/** `vector` after a commit that says `to`: a topic is in one log at a time. */
export function movedTo(vector: OffsetVector, to: OffsetVector): OffsetVector {
  const moved = to.map(own => ({ ...own, next: { ...(nextOf(vector, own) as TopicOffsets['next']), ...own.next } }))
  return [...vector.filter(({ topic }) => !to.some(own => own.topic === topic)), ...moved]
}
