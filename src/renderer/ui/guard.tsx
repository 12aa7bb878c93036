// Keeps a fault in one part from taking the window with it: the part says what happened and offers to start anew.
import { Component, type ReactNode } from 'react'

interface GuardProps {
  /** As the sentence names it: "The tape". */
  what: string
  children: ReactNode
}

interface GuardState {
  fault?: Error
}

export class Guard extends Component<GuardProps, GuardState> {
  override state: GuardState = {}

  static getDerivedStateFromError(fault: Error): GuardState {
    return { fault }
  }

  override render(): ReactNode {
    const { fault } = this.state
    if (!fault) return this.props.children
    return (
      <section className="fault" role="alert">
        <p>{this.props.what} has failed; the rest of the window goes on.</p>
        <p className="dim">{fault.message}</p>
        <button type="button" className="button" onClick={() => this.setState({ fault: undefined })}>
          Start it again
        </button>
      </section>
    )
  }
}
