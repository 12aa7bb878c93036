// A window of rows over any number of them: as many DOM rows as fit, made once, their texts overwritten only where they differ.
// Measured against React rows, canvas and AG Grid for a live tape: the cheapest, and its text can be selected and read aloud.

export interface RowWindow {
  /** How many rows there are to scroll over. */
  setCount(count: number): void
  /** Which of them is at the top. */
  first(): number
  /** DOM rows to fill, the one that is cut at the bottom included. */
  visible(): number
  /** How many rows are seen whole. */
  whole(): number
  /** Scrolls just so far that this row is seen whole. */
  reveal(index: number): void
  text(row: number, cell: number, text: string): void
  /** Class names beside `row`; an empty row is hidden from sight and from screen readers. */
  mark(row: number, names: string): void
  row(row: number): HTMLElement
  /** The DOM row that holds this element, or -1. */
  rowOf(target: EventTarget | null): number
  close(): void
}

export interface RowWindowOptions {
  /** One class per cell. */
  cells: readonly string[]
  rowRole: string
  cellRole: string
  rowHeightPx: number
  /** Paints what is in sight: called when that changes, by scrolling or by a new size. */
  repaint(): void
}

const EMPTY = 'none'
const MOST_LETTERS = 9

/** `scroller` is an empty element that scrolls. */
export function createRowWindow(scroller: HTMLElement, options: RowWindowOptions): RowWindow {
  const { cells, rowHeightPx } = options
  const space = element('div', 'row-space', 'presentation')
  const layer = element('div', 'row-layer', 'presentation')
  space.append(layer)
  scroller.replaceChildren(space)

  const rows: HTMLElement[] = []
  const texts: Text[] = []
  const shown: string[] = []
  const marks: string[] = []
  // Kept, as asking the page for them between two paintings would make it lay itself out each time.
  let heightPx = 0
  let scrolledPx = 0
  let count = 0
  let shiftPx = 0

  function fit(): void {
    heightPx = scroller.clientHeight
    const wanted = Math.ceil(heightPx / rowHeightPx) + 1
    while (rows.length < wanted) addRow()
    while (rows.length > wanted) removeRow()
    layer.style.height = `${heightPx}px`
  }

  function addRow(): void {
    const row = element('div', 'row', options.rowRole)
    for (const name of cells) {
      const cell = element('span', name, options.cellRole)
      const text = document.createTextNode('')
      cell.append(text)
      row.append(cell)
      texts.push(text)
      shown.push('')
    }
    row.hidden = true
    rows.push(row)
    marks.push(EMPTY)
    layer.append(row)
  }

  function removeRow(): void {
    rows.pop()!.remove()
    marks.pop()
    texts.length = shown.length = rows.length * cells.length
  }

  /** Whole rows are painted where they belong, shifted by what is scrolled of the first. */
  function follow(): void {
    scrolledPx = scroller.scrollTop
    const next = scrolledPx % rowHeightPx
    if (next === shiftPx) return
    shiftPx = next
    layer.style.transform = shiftPx === 0 ? '' : `translateY(${-shiftPx}px)`
  }

  const followScroll = () => {
    follow()
    options.repaint()
  }
  const observer = new ResizeObserver(() => {
    fit()
    followScroll()
  })
  observer.observe(scroller)
  scroller.addEventListener('scroll', followScroll, { passive: true })
  fit()

  return {
    setCount(next) {
      if (next === count) return
      count = next
      space.style.height = `${count * rowHeightPx}px`
    },
    first: () => Math.floor(scrolledPx / rowHeightPx),
    visible: () => rows.length,
    whole: () => Math.floor(heightPx / rowHeightPx),
    reveal(index) {
      const top = index * rowHeightPx
      const lowest = top + rowHeightPx - heightPx
      if (scrolledPx > top) scroller.scrollTop = top
      else if (scrolledPx < lowest) scroller.scrollTop = lowest
      follow()
    },
    text(row, cell, text) {
      const at = row * cells.length + cell
      if (shown[at] === text) return
      shown[at] = text
      texts[at].data = text
    },
    mark(row, names) {
      if (marks[row] === names) return
      if (names === EMPTY || marks[row] === EMPTY) rows[row].hidden = names === EMPTY
      marks[row] = names
      rows[row].className = `row ${names}`
    },
    row: row => rows[row],
    rowOf: target => (target instanceof Element ? rows.indexOf(target.closest<HTMLElement>('.row')!) : -1),
    close() {
      observer.disconnect()
      scroller.removeEventListener('scroll', followScroll)
      scroller.replaceChildren()
    },
  }
}

export const EMPTY_ROW = EMPTY

/** A mark for rows with names, which come from outside, that may be longer than their cells. */
export function longMark(...names: readonly string[]): string {
  return names.some(name => name.length > MOST_LETTERS) ? ' long' : ''
}

function element(tag: string, className: string, role: string): HTMLElement {
  const made = document.createElement(tag)
  made.className = className
  made.setAttribute('role', role)
  return made
}
