import { ConvoyError } from '@/core/errors';
import { Icon } from './Icon';

/** @returns what a person should read about something that failed. */
export function errorText(error: unknown): string {
  if (error instanceof ConvoyError) return error.message;
  const reason = error instanceof Error ? error.message : String(error);
  return `Something unexpected happened: ${reason}. Try again; if it persists, reload the page.`;
}

/** An error next to where it arose; nothing when there is none. */
export function ErrorNote({ error }: { error: unknown }) {
  if (error === null || error === undefined) return null;
  return (
    <p className="note note-error" role="alert">
      <Icon name="warning" />
      <span>{errorText(error)}</span>
    </p>
  );
}
