import { useRef, useState } from 'react';
import { Field } from './Field';

interface CopyFieldProps {
  label: string;
  value: string;
  /** It is shown whole, in lines. */
  isLong?: boolean;
  onCopied?: () => void;
}

/** A text to copy with one click. */
export function CopyField({ label, value, isLong = false, onCopied }: CopyFieldProps) {
  const input = useRef<HTMLInputElement & HTMLTextAreaElement>(null);
  const [told, setTold] = useState('');
  const copy = async () => {
    input.current?.select();
    // The clipboard is there on secure pages alone, and the browser may refuse it.
    const isCopied = await navigator.clipboard?.writeText(value).then(
      () => true,
      () => false,
    );
    if (isCopied) onCopied?.();
    setTold(isCopied ? 'Copied.' : 'Selected: press Ctrl+C or ⌘C to copy it.');
  };
  return (
    <div className="copy-field">
      <Field label={label}>
        {(field) => {
          const control = {
            ...field,
            ref: input,
            readOnly: true,
            value,
            onCopy: onCopied,
            onFocus: ({ currentTarget }: { currentTarget: HTMLInputElement | HTMLTextAreaElement }) => {
              currentTarget.select();
              // Selecting scrolls to the end; the host is at the start.
              currentTarget.scrollLeft = 0;
            },
          };
          return isLong ? <textarea {...control} rows={3} /> : <input {...control} />;
        }}
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
