// Exact decimals as people read them: grouped in thousands, with as many decimals as the instrument's prices have.

/** (3618000000, 8, 2) → "36.18"; never fewer decimals than the number has, so that nothing is rounded away. */
export function groupedDecimal(unscaled: number | bigint, scale: number, atLeast = 0): string {
  const negative = unscaled < 0
  const digits = String(negative ? -unscaled : unscaled).padStart(scale + 1, '0')
  const whole = digits.slice(0, digits.length - scale)
  let end = digits.length
  const keep = digits.length - scale + Math.min(atLeast, scale)
  while (end > keep && digits.charCodeAt(end - 1) === 48) end--
  const fraction = digits.slice(digits.length - scale, end).padEnd(atLeast, '0')
  return (negative ? '−' : '') + groupThousands(whole) + (fraction && '.' + fraction)
}

/** Whole numbers: 12345 → "12,345". */
export function grouped(count: number): string {
  return (count < 0 ? '−' : '') + groupThousands(String(Math.abs(Math.round(count))))
}

function groupThousands(digits: string): string {
  if (digits.length <= 3) return digits
  const first = digits.length % 3 || 3
  let text = digits.slice(0, first)
  for (let at = first; at < digits.length; at += 3) text += ',' + digits.slice(at, at + 3)
  return text
}

/** A rate that people take in at a glance: "0.4", "12", "2,013". */
export function rateText(perSecond: number): string {
  if (perSecond < 0.05) return '0'
  return perSecond < 9.95 ? perSecond.toFixed(1) : grouped(perSecond)
}

/** How old something is: "37 ms", "4.2 s", "12 s", "5 min", "2 h". */
export function ageText(ms: number): string {
  const age = Math.max(0, ms)
  if (age < 999.5) return `${Math.round(age)} ms`
  if (age < 9950) return `${(age / 1000).toFixed(1)} s`
  if (age < 120_000) return `${Math.round(age / 1000)} s`
  return age < 7_200_000 ? `${Math.round(age / 60_000)} min` : `${Math.round(age / 3_600_000)} h`
}
