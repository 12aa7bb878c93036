// Loaded before the program: at its end, says on stderr which of its files were loaded. A test instrument.
process.on('exit', () => {
  const own = Object.keys(require.cache).filter(path => path.includes('/out/main/'))
  process.stderr.write(`loaded ${own.map(path => path.replace(/^.*\/out\/main\//, '')).join(' ')}\n`)
})
