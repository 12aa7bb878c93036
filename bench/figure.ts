// One measured number, as benchmarks give it and reports print it.
export interface Figure {
  name: string
  value: number
  unit: string
  target?: string
  detail?: string
}
