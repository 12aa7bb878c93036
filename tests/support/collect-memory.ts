// Memory collected when a test says so, for what must outlive it.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')

export const collectMemory = runInNewContext('gc') as () => void
