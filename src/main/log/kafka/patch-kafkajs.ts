// Mends kafkajs 2.2.4 where its connection would keep a timer of 1 ms running for ever (tulios/kafkajs #1751, #1768):
// CPU for nothing, and a warning a turn from Node 24 on.
import RequestQueue from 'kafkajs/src/network/requestQueue/index.js'

const CHECK_MS = 10

RequestQueue.prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
  const throttledMs = this.throttledUntil - Date.now()
  if (this.throttleCheckTimeoutId || (this.pending.length === 0 && throttledMs <= 0)) return
  this.throttleCheckTimeoutId = setTimeout(
    () => {
      this.throttleCheckTimeoutId = null
      this.checkPendingRequests()
    },
    Math.max(throttledMs, CHECK_MS),
  )
}
