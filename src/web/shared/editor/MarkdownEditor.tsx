import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { EditorOptions, TextEditor } from './editorOptions';
import { loadEditor, loadedEditor } from './loadEditor';
import styles from './MarkdownEditor.module.css';

interface MarkdownEditorProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  /** Ctrl/⌘ Enter. */
  onSave: () => void;
  /** Escape. Absent: the key does nothing. */
  onCancel?: () => void;
  placeholder?: string | undefined;
  /** Names that are offered behind an @. */
  people?: readonly string[];
  isDisabled?: boolean;
  isHigh?: boolean;
  /** Takes the focus as soon as it is shown. */
  takesFocus?: boolean;
}

/**
 * Edits Markdown: in a plain text field until a person begins, then in CodeMirror, which takes over text, focus and selection. Where
 * that cannot be loaded, the text field does.
 */
export function MarkdownEditor(props: MarkdownEditorProps) {
  const { label, value, placeholder, isDisabled = false, isHigh = false, takesFocus = false } = props;
  const field = useRef<HTMLTextAreaElement>(null);
  const host = useRef<HTMLDivElement>(null);
  const editor = useRef<TextEditor | null>(null);
  const [isRich, setRich] = useState(() => takesFocus && !isDisabled && loadedEditor() !== null);
  const handedOver = useRef<{ from: number; to: number } | null>(null);
  const isComposing = useRef(false);
  const latest = useRef(props);
  latest.current = props;

  // Before the next key is pressed: the text field is gone by now.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the editor is mounted once; what changes later is read from `latest`
  useLayoutEffect(() => {
    const mount = loadedEditor();
    if (!isRich || host.current === null || mount === null) return;
    // An element has one shadow root for good; React runs effects twice in development.
    const root = host.current.shadowRoot ?? host.current.attachShadow({ mode: 'open', delegatesFocus: true });
    const mounted = mount(root, optionsOf(latest));
    editor.current = mounted;
    mounted.focus(handedOver.current ?? { from: value.length, to: value.length });
    return () => {
      editor.current = null;
      mounted.destroy();
    };
  }, [isRich]);
  useEffect(() => editor.current?.setText(value), [value]);
  useEffect(() => {
    if (!takesFocus || field.current === null) return;
    field.current.focus();
    field.current.setSelectionRange(field.current.value.length, field.current.value.length);
  }, [takesFocus]);

  const begin = async () => {
    if ((await loadEditor()) === null || field.current === null) return;
    // Not while an input method writes: it would lose its place.
    if (isComposing.current || document.activeElement !== field.current) return;
    handedOver.current = { from: field.current.selectionStart, to: field.current.selectionEnd };
    setRich(true);
  };

  const frame = `${styles.frame} ${isHigh ? styles.high : styles.low}`;
  if (isRich && !isDisabled)
    return <div ref={host} className={frame} data-editor={value.trim() === '' ? 'empty' : 'typed'} />;
  return (
    <div className={frame}>
      <textarea
        ref={field}
        className={styles.plain}
        aria-label={label}
        dir="auto"
        rows={isHigh ? 8 : 2}
        placeholder={placeholder}
        value={value}
        disabled={isDisabled}
        onFocus={() => void begin()}
        onCompositionStart={() => {
          isComposing.current = true;
        }}
        onCompositionEnd={() => {
          isComposing.current = false;
        }}
        onChange={(event) => props.onChange(event.target.value)}
        onKeyDown={(event) => {
          if (event.nativeEvent.isComposing) return;
          const isSave = event.key === 'Enter' && (event.ctrlKey || event.metaKey);
          if (isSave) props.onSave();
          else if (event.key === 'Escape') props.onCancel?.();
          else return;
          event.preventDefault();
        }}
      />
    </div>
  );
}

function optionsOf(latest: { current: MarkdownEditorProps }): EditorOptions {
  const { label, placeholder, value } = latest.current;
  return {
    text: value,
    label,
    placeholder,
    onChange: (text) => latest.current.onChange(text),
    onKey: (key) => {
      const { onSave, onCancel } = latest.current;
      if (key === 'save') onSave();
      else if (onCancel) onCancel();
      else return false;
      return true;
    },
    people: () => latest.current.people ?? [],
  };
}
