const LIVE = '[aria-live], [role="status"], [role="alert"], [role="log"]';

/**
 * Makes the page inert, but for what is announced to screen readers: an element that is inert is not announced either.
 * @returns what undoes it
 */
export function makePageInert(): () => void {
  const made: Element[] = [];
  const visit = (element: Element) => {
    if (element.matches(LIVE) || element.hasAttribute('inert')) return;
    if (element.querySelector(LIVE)) return [...element.children].forEach(visit);
    element.setAttribute('inert', '');
    made.push(element);
  };
  const page = document.getElementById('app');
  if (page) visit(page);
  return () => {
    for (const element of made) element.removeAttribute('inert');
  };
}
