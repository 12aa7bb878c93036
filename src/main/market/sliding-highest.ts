// The highest of the last values of a series whose oldest ones leave, at the cost of one comparison for a series that rises.
export interface SlidingHighest {
  /** Negative infinity before the first value; the last one known where all have left. */
  highest: number
  /** Of those that no later one reaches, in order, so that they fall: the series' number and the value. */
  numbers: Float64Array
  values: Float64Array
  begin: number
  end: number
}

const FIRST_ROOM = 8

export function createSlidingHighest(): SlidingHighest {
  const [numbers, values] = [new Float64Array(FIRST_ROOM), new Float64Array(FIRST_ROOM)]
  return { highest: -Infinity, numbers, values, begin: 0, end: 0 }
}

/** Takes the next value; whether the highest has risen by it. */
export function enter(sliding: SlidingHighest, number: number, value: number): boolean {
  const { values, begin, highest } = sliding
  let { end } = sliding
  while (end > begin && values[end - 1] <= value) end--
  if (end === begin) {
    sliding.begin = end = 0
    sliding.highest = value
  } else if (end === values.length) {
    end = makeRoom(sliding)
  }
  sliding.numbers[end] = number
  sliding.values[end] = value
  sliding.end = end + 1
  return sliding.highest > highest
}

/** All before that number have left. */
export function leaveBefore(sliding: SlidingHighest, number: number): void {
  const { numbers, begin, end } = sliding
  if (begin === end || numbers[begin] >= number) return
  let left = begin
  while (left < end && numbers[left] < number) left++
  sliding.begin = left
  if (left < end) sliding.highest = sliding.values[left]
}

export function leaveAll(sliding: SlidingHighest): void {
  sliding.begin = sliding.end = 0
}

/** Where the next one goes. */
function makeRoom(sliding: SlidingHighest): number {
  const { numbers, values, begin, end } = sliding
  const room = begin * 2 >= end ? values.length : values.length * 2
  sliding.numbers = new Float64Array(room)
  sliding.values = new Float64Array(room)
  sliding.numbers.set(numbers.subarray(begin, end))
  sliding.values.set(values.subarray(begin, end))
  sliding.begin = 0
  return end - begin
}
