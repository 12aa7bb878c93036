// A worker thread that loads the TypeScript server of the wire benchmark and hands it the port it is sent.
import { workerData, parentPort } from 'node:worker_threads'
import { tsImport } from 'tsx/esm/api'

const { servePortGiven } = await tsImport(workerData, import.meta.url)
parentPort.on('message', servePortGiven)
