import { Component, type ReactNode } from 'react';
import { notLoaded } from '../session/notLoaded';
import { CannotOpen } from './CannotOpen';

/** Stands in where the app itself cannot be loaded, or fails as a whole. */
export class StartBoundary extends Component<{ children: ReactNode }, { hasFailed: boolean }> {
  override state = { hasFailed: false };

  static getDerivedStateFromError() {
    return { hasFailed: true };
  }

  override render() {
    if (!this.state.hasFailed) return this.props.children;
    const reload = () => window.location.reload();
    return <CannotOpen title="Convoy cannot start yet" error={notLoaded()} onRetry={reload} />;
  }
}
