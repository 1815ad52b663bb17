/** The time in which a page is frozen or put away by its browser. */
export class Suspension {
  private current: { over: Promise<void>; end: () => void } | null = null;

  /** Resolves when it ends; null: the page is not suspended. */
  get over(): Promise<void> | null {
    return this.current?.over ?? null;
  }

  begin(): void {
    if (this.current) return;
    let end: () => void = () => undefined;
    const over = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.current = { over, end };
  }

  end(): void {
    this.current?.end();
    this.current = null;
  }
}
