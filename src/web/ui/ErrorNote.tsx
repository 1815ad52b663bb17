import { describeError } from './errorText';
import { Icon } from './Icon';

interface ErrorNoteProps {
  error: unknown;
  /** The action that the error kept from happening, where the place on the screen does not say so. */
  consequence?: string;
}

/** An error next to where it arose; nothing when there is none. */
export function ErrorNote({ error, consequence }: ErrorNoteProps) {
  if (error === null || error === undefined) return null;
  return (
    <div className="note note-error" role="alert">
      <Icon name="warning" />
      <ErrorWords error={error} consequence={consequence} />
    </div>
  );
}

/** The words about an error: what happened, what to do, and the technical cause. */
export function ErrorWords({ error, consequence }: { error: unknown; consequence?: string | undefined }) {
  const { headline, detail, technical } = describeError(error);
  return (
    <div className="error-words">
      <p>{[consequence, headline, detail].filter((part) => part !== undefined).join(' ')}</p>
      {technical !== null && <TechnicalDetails text={technical} />}
    </div>
  );
}

/** The cause of an error in the words of the software, closed until somebody looks for it. */
export function TechnicalDetails({ text }: { text: string }) {
  return (
    <details className="technical">
      <summary>Technical details</summary>
      <p>{text}</p>
    </details>
  );
}
