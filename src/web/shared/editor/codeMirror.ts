/** CodeMirror for Markdown, in a chunk that is loaded when somebody begins to write (decision 0041). */

import {
  acceptCompletion,
  autocompletion,
  closeCompletion,
  completionKeymap,
  completionStatus,
} from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { markdown, markdownKeymap, markdownLanguage } from '@codemirror/lang-markdown';
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { EditorState, type Extension, Prec } from '@codemirror/state';
import { EditorView, placeholder as hint, keymap } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import type { EditorOptions, TextEditor } from './editorOptions';

/**
 * The state of a text. CodeMirror takes `\r\n` and `\r` for ends of lines and would give each back as `\n`: with `\n` as the only
 * one, the text comes back as it was, and a merge meets no change that nobody made.
 */
export function stateOf(text: string, extensions: Extension = []): EditorState {
  return EditorState.create({ doc: text, extensions: [EditorState.lineSeparator.of('\n'), extensions] });
}

/** Mounts an editor. Its styles are adopted by the shadow root: the page's policy takes no style elements. */
export function mountCodeMirror(root: ShadowRoot, options: EditorOptions): TextEditor {
  const { label, placeholder, onChange, onKey, people } = options;
  const view = new EditorView({
    root,
    state: stateOf(options.text, [
      Prec.highest(
        keymap.of([
          { key: 'Mod-Enter', run: () => onKey('save') },
          // An open list of completions closes first.
          { key: 'Escape', run: (target) => closesCompletion(target) || onKey('cancel') },
          { key: 'Tab', run: acceptCompletion },
        ]),
      ),
      history(),
      markdown({ base: markdownLanguage, addKeymap: false, completeHTMLTags: false }),
      keymap.of([...markdownKeymap, ...completionKeymap, ...historyKeymap, ...defaultKeymap]),
      autocompletion({ override: [completePeople(people)], icons: false, tooltipClass: () => 'people' }),
      syntaxHighlighting(MARKS),
      EditorView.lineWrapping,
      EditorView.perLineTextDirection.of(true),
      // Text that is pasted from elsewhere has the line ends of its system.
      EditorView.clipboardInputFilter.of((text) => text.replaceAll(/\r\n?/g, '\n')),
      EditorView.contentAttributes.of({
        'aria-label': label,
        dir: 'auto',
        spellcheck: 'true',
        autocapitalize: 'sentences',
      }),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) onChange(update.state.doc.toString());
      }),
      placeholder === undefined ? [] : hint(placeholder),
      THEME,
    ]),
  });
  root.append(view.dom);
  return {
    setText: (text) => {
      if (text === view.state.doc.toString()) return;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: view.state.toText(text) } });
    },
    focus: (selection) => {
      view.focus();
      if (selection === undefined) return;
      const within = (at: number) => Math.min(at, view.state.doc.length);
      view.dispatch({
        selection: { anchor: within(selection.from), head: within(selection.to) },
        scrollIntoView: true,
      });
    },
    destroy: () => view.destroy(),
  };
}

/** While names are only looked for nothing is open yet. */
function closesCompletion(view: EditorView): boolean {
  return completionStatus(view.state) === 'active' && closeCompletion(view);
}

/** Names of members behind an @. */
function completePeople(people: EditorOptions['people']) {
  return (context: { matchBefore: (pattern: RegExp) => { from: number; text: string } | null }) => {
    const typed = context.matchBefore(/(?:^|(?<=[\s(]))@[\p{L}\p{N}\p{M}.'-]*/u);
    const names = people?.() ?? [];
    if (typed === null || names.length === 0) return null;
    return {
      from: typed.from,
      options: names.map((name) => ({ label: `@${name}`, apply: `@${name} `, type: 'text' })),
    };
  };
}

const MARKS = HighlightStyle.define([
  { tag: tags.heading, fontWeight: '600' },
  { tag: tags.strong, fontWeight: '700' },
  { tag: tags.emphasis, fontStyle: 'italic' },
  { tag: tags.strikethrough, textDecoration: 'line-through' },
  { tag: tags.monospace, fontFamily: 'var(--mono)', fontSize: '0.9em' },
  { tag: [tags.link, tags.url], color: 'var(--accent)' },
  { tag: [tags.processingInstruction, tags.contentSeparator, tags.labelName], color: 'var(--muted)' },
  { tag: tags.quote, color: 'var(--muted)' },
]);

// Custom properties of the page go into shadow roots.
const THEME = EditorView.theme({
  '&': { color: 'var(--text)', backgroundColor: 'transparent', fontSize: 'inherit' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'inherit', lineHeight: '1.5', overflowX: 'auto' },
  '.cm-content': {
    minHeight: 'var(--editor-height)',
    padding: '0.375rem 0.625rem',
    caretColor: 'var(--text)',
    overflowWrap: 'anywhere',
  },
  '.cm-line': { padding: '0' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '.cm-placeholder': { color: 'var(--muted)' },
  '.cm-tooltip': {
    border: '1px solid var(--line)',
    borderRadius: 'var(--radius)',
    backgroundColor: 'var(--surface)',
    boxShadow: 'var(--shadow-raised)',
    zIndex: '15',
  },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': { fontFamily: 'inherit', maxHeight: '14rem' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li': { padding: '0.375rem 0.625rem' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': {
    backgroundColor: 'var(--accent)',
    color: 'var(--on-accent)',
  },
});
