// Runs the benchmarks, one after the other: `npm run bench` for all, `npm run bench -- tail page` for some.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Figure } from './figure.ts'

const wanted = process.argv.slice(2)
const names = readdirSync(import.meta.dirname)
  .filter(file => file.endsWith('.bench.ts'))
  .map(file => file.replace('.bench.ts', ''))
  .filter(name => wanted.length === 0 || wanted.includes(name))

const unknown = wanted.filter(name => !names.includes(name))
if (unknown.length > 0) {
  console.error(`There is no benchmark named ${unknown.join(', ')}.`)
  process.exit(2)
}
for (const name of names) {
  const { run } = (await import(pathToFileURL(join(import.meta.dirname, `${name}.bench.ts`)).href)) as {
    run: () => Promise<Figure[]>
  }
  console.log(`\n## ${name}\n\n| figure | value | target | |\n|---|---|---|---|`)
  for (const { name: figure, value, unit, target, detail } of await run()) {
    console.log(
      `| ${figure} | ${Number(value.toPrecision(4)).toLocaleString('en')} ${unit} | ${target ?? ''} | ${detail ?? ''} |`,
    )
  }
}
