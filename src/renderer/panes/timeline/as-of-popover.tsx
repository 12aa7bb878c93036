// Picks the moment that the page goes back to.

export const AS_OF_ID = 'as-of'

export function AsOfPopover() {
  return (
    <section id={AS_OF_ID} className="popover as-of" popover="auto" aria-label="As of">
      The list of snapshots comes here.
    </section>
  )
}
