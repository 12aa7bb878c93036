// One clock for the page: every pane paints from here, twenty turns a second, as faster cannot be read.
// Nothing runs where no pane is, nor in a window nobody sees.

type Paint = (nowMs: number) => void

export const TURNS_PER_SECOND = 20
// A little under the interval, as the frame comes after it.
const WAIT_MS = 1000 / TURNS_PER_SECOND - 10

interface Turns {
  every: number
  /** Panes with the same interval take turns, so that no frame has all the work. */
  offset: number
}

const paints = new Map<Paint, Turns>()
let turn = 0
let timer: ReturnType<typeof setTimeout> | undefined
let frame = 0

function paintAll(nowMs: number): void {
  timer = setTimeout(() => (frame = requestAnimationFrame(paintAll)), WAIT_MS)
  for (const [paint, { every, offset }] of paints) if (turn % every === offset) paint(nowMs)
  turn++
}

/** Calls `paint` every so many turns, after the frame's input and before its layout; gives what ends it. */
export function onTurn(everyTurns: number, paint: Paint): () => void {
  const alike = [...paints.values()].filter(({ every }) => every === everyTurns)
  paints.set(paint, { every: everyTurns, offset: alike.length % everyTurns })
  if (paints.size === 1) frame = requestAnimationFrame(paintAll)
  return () => {
    paints.delete(paint)
    if (paints.size > 0) return
    clearTimeout(timer)
    cancelAnimationFrame(frame)
  }
}
