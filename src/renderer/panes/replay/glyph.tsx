// The signs of the transport, drawn: fonts do not have all of them.

const PATHS = {
  play: 'M4 2.5v11l9-5.5z',
  'play-back': 'M12 2.5v11L3 8z',
  pause: 'M4 3h3v10H4zM9 3h3v10H9z',
  'row-on': 'M5 4v8l6-4z',
  'row-back': 'M11 4v8L5 8z',
  'bar-on': 'M3 3v10l7-5zM11 3h2v10h-2z',
  'bar-back': 'M13 3v10L6 8zM3 3h2v10H3z',
  turn: 'M6 2 2 5.5 6 9V6.5h8v-2H6zM10 7v2.5H2v2h8V14l4-3.500z',
  loop: 'M2 3h2v10H2zM12 3h2v10h-2zM5 7h6v2H5z',
  'loop-open': 'M2 3h2v10H2zM5 7h3v2H5zM9 7h1v2H9zM11 7h1v2h-1z',
} as const

export type GlyphName = keyof typeof PATHS

export function Glyph({ name }: { name: GlyphName }) {
  return (
    <svg className="glyph" viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  )
}
