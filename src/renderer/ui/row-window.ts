// A window of rows over any number of them: as many DOM rows as fit, made once, their texts overwritten only where they differ.
// Measured against React rows, canvas and AG Grid for a live tape: the cheapest, and its text can be selected and read aloud.

export interface RowWindow {
  /** How many rows there are to scroll over. */
  setCount(count: number): void
  /** Which of them is at the top. */
  first(): number
  /** DOM rows to fill, the one that is cut at the bottom included. */
  visible(): number
  scrollTo(index: number): void
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
  /** After the number of rows that fit has changed. */
  onResize(): void
}

const EMPTY = 'none'

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
  let count = 0
  let shift = -1

  function fit(): void {
    const wanted = Math.ceil(scroller.clientHeight / rowHeightPx) + 1
    while (rows.length < wanted) addRow()
    while (rows.length > wanted) removeRow()
    layer.style.height = `${scroller.clientHeight}px`
    options.onResize()
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
  function place(): void {
    const next = scroller.scrollTop % rowHeightPx
    if (next === shift) return
    shift = next
    layer.style.transform = shift === 0 ? '' : `translateY(${-shift}px)`
  }

  const observer = new ResizeObserver(fit)
  observer.observe(scroller)
  fit()

  return {
    setCount(next) {
      if (next !== count) {
        count = next
        space.style.height = `${count * rowHeightPx}px`
      }
      place()
    },
    first: () => Math.floor(scroller.scrollTop / rowHeightPx),
    visible: () => rows.length,
    scrollTo: index => (scroller.scrollTop = index * rowHeightPx),
    reveal(index) {
      const top = index * rowHeightPx
      const lowest = top + rowHeightPx - scroller.clientHeight
      if (scroller.scrollTop > top) scroller.scrollTop = top
      else if (scroller.scrollTop < lowest) scroller.scrollTop = lowest
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
      scroller.replaceChildren()
    },
  }
}

export const EMPTY_ROW = EMPTY

function element(tag: string, className: string, role: string): HTMLElement {
  const made = document.createElement(tag)
  made.className = className
  made.setAttribute('role', role)
  return made
}
