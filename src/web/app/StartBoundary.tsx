import { Component, type ReactNode } from 'react';
import { CannotOpen } from './CannotOpen';

/** Shows the error when the app cannot be loaded, or fails as a whole. */
export class StartBoundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: null };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render() {
    const { error } = this.state;
    if (error === null) return this.props.children;
    const reload = () => window.location.reload();
    return <CannotOpen title="Convoy cannot start yet" error={error} onRetry={reload} />;
  }
}
