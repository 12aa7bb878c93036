// Rows of text in aligned columns, as many as fit the terminal.

interface Place {
  /** Which cell of a row. */
  cell: number
  name: string
  width: number
  numeric: boolean
}

export interface Layout {
  places: readonly Place[]
  /** Columns for which there was no room. */
  left: readonly string[]
}

const GAP = '  '
const DEFAULT_WIDTH = 120

/** What went wrong, in words: never left out, and last, where it may run over the edge. */
const WORDS = new Set(['why', 'error', 'problem'])

/** Columns without any value and the log's own are left out; ids of rows come late, as they are the least read. */
export function layOut(columns: readonly string[], rows: readonly string[][], width = DEFAULT_WIDTH): Layout {
  const all = columns.map((name, cell): Place => {
    const texts = rows.map(row => row[cell])
    return {
      cell,
      name,
      width: texts.reduce((most, text) => Math.max(most, text.length), name.length),
      numeric: texts.every(text => /^-?[\d.]*$/.test(text)),
    }
  })
  const filled = all.filter(({ name, cell }) => !name.startsWith('_') && rows.some(row => row[cell] !== ''))
  const isId = ({ name }: Place) => name.endsWith('_id') && name !== 'snapshot_id' // what the next command asks for
  const words = filled.filter(({ name }) => WORDS.has(name))
  const others = filled.filter(({ name }) => !WORDS.has(name))
  const wanted = [...others.filter(place => !isId(place)), ...others.filter(isId)]
  let used = -GAP.length
  const fits = wanted.findIndex(place => (used += place.width + GAP.length) > width)
  const kept = fits === -1 ? wanted.length : Math.max(words.length > 0 ? 0 : 1, fits)
  return { places: [...wanted.slice(0, kept), ...words], left: wanted.slice(kept).map(({ name }) => name) }
}

export function tableHead({ places, left }: Layout): string {
  const note = left.length > 0 ? `(not shown: ${left.join(', ')}; a wider terminal or --output json has them)\n` : ''
  return note + line(places.map(place => pad(place.name, place)))
}

export function tableLines({ places }: Layout, rows: readonly string[][]): string {
  return rows.map(row => line(places.map(place => pad(row[place.cell], place)))).join('')
}

function pad(text: string, { width, numeric }: Place): string {
  return numeric ? text.padStart(width) : text.padEnd(width)
}

function line(cells: readonly string[]): string {
  return cells.join(GAP).trimEnd() + '\n'
}
