// What is shown instead of panes while nothing trades: why, and the two ways on.
import { useStore } from 'zustand'
import { useWorkspace } from './workspace-context.ts'

export function EmptyWorkspace() {
  const { demo, link } = useWorkspace()
  const { isBusy, failure } = useStore(demo.state)
  const isKafka = useStore(link.store, ({ about }) => about?.log === 'kafka')
  return (
    <main className="empty">
      <div className="empty-body">
        <h2>No market data yet</h2>
        <p>
          {isKafka
            ? 'K2 is connected to Kafka, and nothing has come in on its topics yet.'
            : 'The simulated market is off, and this version of K2 does not read Kafka yet.'}
        </p>
        <div className="ways">
          <section aria-labelledby="way-demo">
            <h3 id="way-demo">Look around</h3>
            <p>A simulated market over two venues, with live trades and quotes. Nothing in it is real.</p>
            <button type="button" className="button primary" disabled={isBusy} onClick={() => void demo.run()}>
              Open the demo workspace
            </button>
            {failure && (
              <p className="problem" role="alert">
                {failure}
              </p>
            )}
          </section>
          <section aria-labelledby="way-kafka">
            <h3 id="way-kafka">{isKafka ? 'Check the topics' : 'Connect Kafka'}</h3>
            <p>
              {isKafka
                ? 'Set the brokers and topics, then start K2 again:'
                : 'Comes with the next version. These settings are checked already:'}
            </p>
            <pre tabIndex={0} aria-label="Settings for Kafka">
              K2_KAFKA_BROKERS=broker-1:9092,broker-2:9092{'\n'}
              K2_TOPICS=market.equities.trades.asx,market.equities.quotes.asx
            </pre>
            <p className="dim">
              In the environment, or in k2.config.json in the profile. <code>npx k2 config</code> shows what is in
              force.
            </p>
          </section>
        </div>
      </div>
    </main>
  )
}
