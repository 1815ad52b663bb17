import { useId } from 'react';
import { TextDifference } from '../shared/TextDifference';
import { ErrorNote } from '../ui/ErrorNote';
import styles from './InPlaceNotes.module.css';
import type { InPlace } from './useInPlace';

interface NotesProps {
  editing: InPlace;
  what: 'title' | 'description';
}

/** Under a text that is edited: why it could not be saved, or both texts where somebody else has changed it meanwhile. */
export function InPlaceNotes({ editing, what }: NotesProps) {
  const { theirs, text } = editing;
  const id = useId();
  if (theirs === null || text === null) return <ErrorNote error={editing.error} />;
  return (
    <section className={styles.clash} role="alert" aria-labelledby={id}>
      <p id={id}>
        <strong>Somebody else has changed the {what} meanwhile.</strong> Which one is it to be?
      </p>
      <div className={styles.sides}>
        <div>
          <h3>Yours</h3>
          <TextDifference before={theirs} after={text} side="after" />
          <button
            type="button"
            className="button"
            aria-label={`Keep mine: ${what}`}
            onClick={() => void editing.keepMine()}
          >
            Keep mine
          </button>
        </div>
        <div>
          <h3>Theirs</h3>
          <TextDifference before={theirs} after={text} side="before" />
          <button
            type="button"
            className="button"
            aria-label={`Take theirs: ${what}`}
            onClick={editing.takeTheirs}
          >
            Take theirs
          </button>
        </div>
      </div>
      <ErrorNote error={editing.error} />
    </section>
  );
}

/** Where something was typed and not saved: offers to go on with it. */
export function LeftOverNote({ editing, what }: NotesProps) {
  const { leftOver } = editing;
  if (leftOver === null) return null;
  return (
    <div className={styles.leftOver} role="note">
      <p>
        You have typed a {what} that is not saved: <q dir="auto">{shortened(leftOver)}</q>
      </p>
      <div className={styles.buttons}>
        <button type="button" className="button" aria-label={`Go on with the ${what}`} onClick={editing.open}>
          Go on
        </button>
        <button
          type="button"
          className="button quiet"
          aria-label={`Discard the typed ${what}`}
          onClick={editing.discard}
        >
          Discard
        </button>
      </div>
    </div>
  );
}

function shortened(text: string): string {
  const [line = ''] = text.trim().split('\n');
  return line.length > 120 || line.length < text.trim().length ? `${line.slice(0, 120)} …` : line;
}
