/**
 * A field can vanish under the hands of its person: somebody else has settled or deleted what it belonged to. The rest of their
 * sentence is no shortcut then.
 */

/** ms without a letter after which a person has noticed. */
const PAUSE_MS = 1_500;

/** Whether keys write text where the focus is, in shadow roots too. */
export function isTyping(event: Event): boolean {
  const [target] = event.composedPath();
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.matches('input, textarea, select');
}

const ENDS: ReadonlySet<string> = new Set(['Enter', 'Escape', 'Tab']);

class InterruptedTyping {
  private field: EventTarget | null = null;
  private lastAt = 0;

  /** @param event a key that would be a shortcut @returns whether it goes on with a text whose field has vanished */
  isInterrupted(event: KeyboardEvent): boolean {
    const { field } = this;
    return field instanceof Node && !field.isConnected && event.timeStamp - this.lastAt < PAUSE_MS;
  }

  /** Hears of each key before shortcuts do. */
  readonly onKey = (event: KeyboardEvent): void => {
    // Steps of the person's own: what comes after them is no part of the sentence.
    const isCommand = (event.ctrlKey || event.metaKey) && !event.getModifierState('AltGraph');
    if (ENDS.has(event.key) || isCommand) this.field = null;
    else if (isTyping(event)) this.field = event.composedPath()[0] ?? null;
    else if (!this.isInterrupted(event)) this.field = null;
    this.lastAt = event.timeStamp;
  };

  readonly forget = (): void => {
    this.field = null;
  };
}

export const interrupted = new InterruptedTyping();

// Keys come in the order in which listeners were added: this module is loaded before any shortcut is offered.
globalThis.window?.addEventListener('keydown', interrupted.onKey, { capture: true });
globalThis.window?.addEventListener('pointerdown', interrupted.forget, { capture: true });
