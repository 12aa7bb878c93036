// The transport: what drives a replay, at the left of the timeline.

export function Transport() {
  return null
}
