interface ShowMoreProps {
  /** The items that there are more of, in the plural. */
  noun: string;
  shown: number;
  /** The number there is in all; null: all are shown. */
  all: number | null;
  onMore: () => void;
}

/** Says how much of a list is shown, with a button for more of it. Nothing where all of it is. */
export function ShowMore({ noun, shown, all, onMore }: ShowMoreProps) {
  if (all === null) return null;
  return (
    <p className="show-more">
      <button type="button" className="button" onClick={onMore}>
        Show more {noun}
      </button>
      <span className="muted" role="status">
        {shown.toLocaleString('en')} of {all.toLocaleString('en')} are shown.
      </span>
    </p>
  );
}
