// Work in slices: between two of them the event loop turns, so that a backlog never holds up an answer.

/** Called between pieces of work: a promise to wait for when the slice is over, nothing while it is not. */
export type Turns = () => Promise<void> | undefined

/** All who share it share its slices. */
export function createTurns(sliceMs: number): Turns {
  let beganMs = performance.now()
  let turn: Promise<void> | undefined
  return () => {
    if (performance.now() - beganMs < sliceMs) return undefined
    turn ??= new Promise(resolve => {
      setImmediate(() => {
        beganMs = performance.now()
        turn = undefined
        resolve()
      })
    })
    return turn
  }
}
