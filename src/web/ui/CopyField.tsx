import { useRef, useState } from 'react';
import { Field } from './Field';

/** A text to copy with one click. */
export function CopyField({ label, value }: { label: string; value: string }) {
  const input = useRef<HTMLInputElement>(null);
  const [told, setTold] = useState('');
  const copy = async () => {
    input.current?.select();
    // The clipboard is there on secure pages alone, and the browser may refuse it.
    const isCopied = await navigator.clipboard?.writeText(value).then(
      () => true,
      () => false,
    );
    setTold(isCopied ? 'Copied.' : 'Selected: press Ctrl+C or ⌘C to copy it.');
  };
  return (
    <div className="copy-field">
      <Field label={label}>
        {(field) => (
          <input
            {...field}
            ref={input}
            readOnly
            value={value}
            onFocus={({ currentTarget }) => {
              currentTarget.select();
              // Selecting scrolls to the end; the host is at the start.
              currentTarget.scrollLeft = 0;
            }}
          />
        )}
      </Field>
      <button type="button" className="button" onClick={() => void copy()}>
        Copy
      </button>
      <p className="muted small" role="status">
        {told}
      </p>
    </div>
  );
}
