// Money in SQL, exact: what DuckDB's own operators overflow on, or answer as a double. Measured in DuckDB 1.5:
// price * quantity on DECIMAL(18,8) overflows at 36.667 * 20000, and sum / sum and avg are doubles.

/**
 * - notional(price, quantity): the product with all its 16 places.
 * - vwap(price, quantity): over the rows of a group that have both, to 8 places, the last one half to even; null where
 *   the quantities sum to nothing.
 */
export const MACROS: readonly string[] = [
  // 19 digits, because the product of 18 and 18 is one that DuckDB keeps in 64 bits.
  'CREATE MACRO notional(price, quantity) AS CAST(price AS DECIMAL(19, 8)) * CAST(quantity AS DECIMAL(19, 8))',
  'CREATE MACRO k2_unscaled(number) AS CAST(CAST(number AS DECIMAL(38, 8)) * 100000000 AS HUGEINT)',
  `CREATE MACRO k2_half_even(n, d) AS n // d + CASE
     WHEN 2 * abs(n % d) > abs(d) OR (2 * abs(n % d) = abs(d) AND (n // d) % 2 <> 0)
     THEN CASE WHEN (n < 0) = (d < 0) THEN 1 ELSE -1 END ELSE 0 END`,
  `CREATE MACRO vwap(price, quantity) AS CAST(k2_half_even(
     sum(k2_unscaled(price) * k2_unscaled(quantity)),
     nullif(sum(CASE WHEN price IS NOT NULL THEN k2_unscaled(quantity) END), 0)
   ) AS DECIMAL(38, 0)) * CAST(0.00000001 AS DECIMAL(8, 8))`,
]
