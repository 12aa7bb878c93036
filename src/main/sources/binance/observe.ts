// What a stream tells those who watch it: metrics by their names in the table, and lines for the log.
/** A part of what the metrics of a process offer. */
export interface BinanceMetrics {
  add: AddToCounter
  set: (
    name:
      | 'k2_binance_connection_status'
      | 'k2_binance_last_message_timestamp_seconds'
      | 'k2_binance_reconnect_delay_seconds',
    value: number,
  ) => void
}

interface AddToCounter {
  (name: 'k2_binance_messages_received_total', amount: number, labels: { symbol: string }): void
  (
    name: 'k2_binance_message_errors_total' | 'k2_binance_connection_errors_total',
    amount: number,
    labels: { error_type: string },
  ): void
  (name: 'k2_binance_reconnects_total', amount: number, labels: { reason: string }): void
  (name: 'k2_messages_spilled_total', amount: number): void
}

export interface BinanceLog {
  info: (message: string, fields?: Record<string, unknown>) => void
  warn: (message: string, fields?: Record<string, unknown>) => void
}

export const NO_METRICS: BinanceMetrics = { add: () => {}, set: () => {} }
export const NO_LOG: BinanceLog = { info: () => {}, warn: () => {} }
