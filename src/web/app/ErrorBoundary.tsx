import { Component, type ReactNode } from 'react';
import { ErrorWords } from '../ui/ErrorNote';

/** Shows the error of a screen that fails to render; the rest of the page stays usable. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: null };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render() {
    const { error } = this.state;
    if (error === null) return this.props.children;
    return (
      <section className="page" role="alert">
        <h1>This screen failed</h1>
        <ErrorWords error={error} />
        <div className="actions">
          <button type="button" className="button primary" onClick={() => this.setState({ error: null })}>
            Show this screen again
          </button>
          <a className="button" href="/">
            Go to your workspaces
          </a>
        </div>
      </section>
    );
  }
}
