/** The interface of an editor of text, whichever it is. */

export interface EditorOptions {
  text: string;
  label: string;
  placeholder?: string | undefined;
  onChange: (text: string) => void;
  /** @returns whether it meant something: the key then does nothing else */
  onKey: (key: 'save' | 'cancel') => boolean;
  /** Names that are offered behind an @. */
  people?: (() => readonly string[]) | undefined;
}

export interface TextEditor {
  setText: (text: string) => void;
  focus: (selection?: { from: number; to: number }) => void;
  destroy: () => void;
}

export type MountEditor = (root: ShadowRoot, options: EditorOptions) => TextEditor;
