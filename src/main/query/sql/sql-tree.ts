// A statement as DuckDB parses it: JSON of many shapes, of which only what is looked at has names here.

export interface SqlNode {
  type?: string
  class?: string
  query_location?: number
  [field: string]: unknown
}

/** A table by name. */
export interface TableRef extends SqlNode {
  type: 'BASE_TABLE'
  catalog_name: string
  schema_name: string
  table_name: string
  alias: string
  at_clause: { unit: string } | null
}

export function isNode(value: unknown): value is SqlNode {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function nodeOf(value: unknown): SqlNode | undefined {
  return isNode(value) ? value : undefined
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** Every object of the tree, those above first. Not by recursion: a tree is as deep as its author likes. */
export function* nodesOf(root: unknown): Generator<SqlNode, void> {
  const left: unknown[] = [root]
  while (left.length > 0) {
    const value = left.pop()
    if (typeof value !== 'object' || value === null) continue
    if (isNode(value)) yield value
    for (const inner of Object.values(value).reverse())
      if (typeof inner === 'object' && inner !== null) left.push(inner)
  }
}

/** Where DuckDB knows of no place it says the largest number there is. */
export function placeOf({ query_location: place }: SqlNode): number | undefined {
  return typeof place === 'number' && place < Number.MAX_SAFE_INTEGER ? place : undefined
}
