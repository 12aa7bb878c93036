// Put into the page before anything of its own: frames, long tasks, first paint, and the age of rows when painted.
// Plain JavaScript, as it is handed to the browser as it stands.
/* global window, document, performance, requestAnimationFrame, PerformanceObserver, MessageChannel */
window.measured = { frames: [], tasks: [], ages: [], firstPaintMs: 0, firstRowsMs: 0, received: 0 }
{
  const { measured } = window
  let last = 0
  requestAnimationFrame(function count(now) {
    if (last > 0) measured.frames.push(now - last)
    last = now
    requestAnimationFrame(count)
  })
  new PerformanceObserver(list => {
    for (const { duration } of list.getEntries()) measured.tasks.push(duration)
  }).observe({ type: 'longtask' })
  new PerformanceObserver(list => {
    for (const { name, startTime } of list.getEntries())
      if (name === 'first-contentful-paint') measured.firstPaintMs = startTime
  }).observe({ type: 'paint', buffered: true })

  // A message posted in a frame arrives after that frame has been laid out and painted.
  const painted = new MessageChannel()
  let newestAtMs = 0
  painted.port1.onmessage = () => {
    measured.firstRowsMs ||= performance.now()
    measured.ages.push(performance.timeOrigin + performance.now() - newestAtMs)
  }
  document.addEventListener('k2:painted', ({ detail }) => {
    newestAtMs = detail.newestAtMs
    measured.received = detail.received
    painted.port2.postMessage(null)
  })
}
