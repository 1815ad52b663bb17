/** Whether a button of the pointer is down, or a finger is on the screen. */
let isPressed = false;

globalThis.window?.addEventListener('pointerdown', () => mark(true), { capture: true });
for (const end of ['pointerup', 'pointercancel'] as const) {
  globalThis.window?.addEventListener(end, () => mark(false), { capture: true });
}

function mark(pressed: boolean) {
  isPressed = pressed;
}

/**
 * Runs at once, or, while something is pressed, when the click is through: a field that closes as soon as it loses the focus moves
 * what stands under it, and the click would meet something else.
 */
export function afterPress(run: () => void): void {
  if (!isPressed) {
    run();
    return;
  }
  const once = new AbortController();
  for (const end of ['pointerup', 'pointercancel'] as const) {
    const listener = () => {
      once.abort();
      setTimeout(run);
    };
    window.addEventListener(end, listener, { signal: once.signal });
  }
}
