// What a scan may ask for: conditions on columns, all of which must hold.
import type { Value } from '../iceberg/schema.ts'

export type Condition =
  | { column: string; op: '<' | '<=' | '>' | '>=' | '='; value: Value }
  | { column: string; op: 'in'; values: readonly Value[] }
  | { column: string; op: 'is null' | 'is not null' }

export type Filter = readonly Condition[]
