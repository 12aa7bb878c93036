import { expect, it, onTestFinished } from 'vitest'
import { openDuck } from '../../../../src/main/duck/open-duck.ts'
import { memoryRows } from '../../../../src/main/lake/catalog/memory.ts'
import type { FileIO } from '../../../../src/main/lake/io/file-io.ts'
import { s3Files } from '../../../../src/main/lake/io/s3.ts'
import type { Lake } from '../../../../src/main/lake/lake.ts'
import { verifyTable } from '../../../../src/main/lake/verify/verify-table.ts'
import { composeLake } from '../../../support/compose-lake.ts'
import { openFakeS3, type FakeS3 } from '../../../support/fake-s3.ts'
import { append, tradesBatch } from '../../../support/lake.ts'
import { makeTempFolder } from '../../../support/temp-folder.ts'

/** A sound table in S3, all of whose files this machine has copies of; each `open` is another process. */
async function tableInS3() {
  const server = await openFakeS3(() => undefined)
  const cacheFolder = makeTempFolder()
  const duck = await openDuck({ threads: 1, memoryMb: 128 })
  onTestFinished(() => duck.close())
  const rows = memoryRows()
  const credentials = { accessKeyId: 'key', secretAccessKey: 'secret' }
  const open = () => {
    const io = listing(s3Files({ endpoint: server.endpoint, credentials, cacheFolder }), server)
    onTestFinished(() => io.close())
    return composeLake({ io, duck, rows, warehouse: 's3://lake/w' })
  }
  const lake = open()
  await lake.init()
  await append(lake, tradesBatch(0, 50), { specId: 0 })
  return { server, lake, open }
}

/** The fake server knows no lists. */
function listing(io: FileIO, { files }: FakeS3): FileIO {
  return {
    ...io,
    async *list(folder) {
      for (const [key, { bytes }] of files)
        if (`s3://lake/${key}`.startsWith(`${folder}/`))
          yield { location: `s3://lake/${key}`, bytes: bytes.length, modifiedMs: 0 }
    },
  }
}

const problemsIn = async (lake: Lake, quick = false) =>
  (await verifyTable(lake, lake.table('trades'), { quick })).problems.map(({ file, problem }) => [file, problem])

it('finds a flipped bit in S3 although this machine has a good copy', async () => {
  const { server, open } = await tableInS3()
  expect(await problemsIn(open())).toEqual([])
  const key = [...server.files.keys()].find(name => name.endsWith('.parquet'))!
  const bytes = Buffer.from(server.files.get(key)!.bytes)
  bytes[bytes.length >> 1] ^= 1
  server.files.set(key, { bytes })
  expect(await problemsIn(open())).toEqual([
    [`s3://lake/${key}`, expect.stringContaining('the checksum differs') as string],
  ])
})

it.each(['-m0.avro', '.metadata.json', 'snap-'])(
  'finds that %s is gone from S3, in this process and in another one',
  async name => {
    const { server, lake, open } = await tableInS3()
    expect(await problemsIn(lake)).toEqual([])
    const key = [...server.files.keys()].findLast(other => other.includes(name))!
    server.files.delete(key)
    const lost = [[`s3://lake/${key}`, expect.stringContaining('it is not in bucket lake') as string]]
    expect(await problemsIn(lake, true)).toEqual(lost)
    expect(await problemsIn(open(), true)).toEqual(lost)
  },
)

it('finds a manifest that has grown since it was written', async () => {
  const { server, lake } = await tableInS3()
  const key = [...server.files.keys()].find(name => name.endsWith('-m0.avro'))!
  const { bytes } = server.files.get(key)!
  server.files.set(key, { bytes: grown(bytes) })
  expect(await problemsIn(lake, true)).toEqual([
    [`s3://lake/${key}`, `Has ${grown(bytes).length} bytes, its list says ${bytes.length}.`],
  ])
})

/** With an empty block at its end, of two deflated bytes: whole to whoever reads it. */
function grown(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.of(0, 4, 3, 0), bytes.subarray(-16)])
}
