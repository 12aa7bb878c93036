// Messages for a spill, and what it gives back of them, as texts.
import type { Produced } from '../../../../src/main/log/message-log.ts'
import type { Spill } from '../../../../src/main/sources/binance/spill.ts'

export function produced(values: readonly string[], keyOf = (i: number) => `k${i}`): Produced {
  const bytes = values.map(value => Buffer.from(value))
  let end = 0
  return {
    count: values.length,
    keys: values.map((_, i) => keyOf(i)),
    values: Buffer.concat(bytes),
    ends: Uint32Array.from(bytes, ({ length }) => (end += length)),
  }
}

export function textsOf({ count, keys, values, ends }: Produced): string[] {
  const text = (i: number) => Buffer.from(values.subarray(i === 0 ? 0 : ends[i - 1], ends[i])).toString()
  return Array.from({ length: count }, (_, i) => `${keys[i]}=${text(i)}`)
}

export async function takeAll(spill: Spill): Promise<string[]> {
  const texts: string[] = []
  for (let batch = await spill.first(); batch; batch = await spill.first()) {
    texts.push(...textsOf(batch.messages).map(text => `${batch.topic} ${text}`))
    await spill.drop()
  }
  return texts
}
