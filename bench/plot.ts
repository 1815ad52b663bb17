/** Draws lines: small, in one file, readable on light and dark pages. */

export interface Line {
  name: string;
  colour: string;
  /** x and y. */
  points: [number, number][];
}

export interface Panel {
  title: string;
  xLabel: string;
  lines: Line[];
}

const [WIDTH, HEIGHT] = [420, 300];
const MARGIN = { left: 58, right: 16, top: 34, bottom: 46 };

/** @returns the panels side by side, as SVG */
export function plot(title: string, panels: readonly Panel[]): string {
  const drawn = panels.map((panel, n) => `<g transform="translate(${n * WIDTH},0)">${draw(panel)}</g>`);
  const size = `width="${panels.length * WIDTH}" height="${HEIGHT}"`;
  const view = `viewBox="0 0 ${panels.length * WIDTH} ${HEIGHT}"`;
  const style =
    'text{font:12px system-ui,sans-serif;fill:#57606a}.axis{stroke:#8c959f}.grid{stroke:#8c959f;opacity:.25}';
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} ${view} role="img"><title>${title}</title><style>${style}</style>${drawn.join('')}</svg>\n`;
}

function draw({ title, xLabel, lines }: Panel): string {
  const all = lines.flatMap(({ points }) => points);
  const [xMost, yMost] = [Math.max(...all.map(([x]) => x)), niceMost(Math.max(...all.map(([, y]) => y)))];
  const x = (value: number) => round(MARGIN.left + (value / xMost) * (WIDTH - MARGIN.left - MARGIN.right));
  const y = (value: number) =>
    round(HEIGHT - MARGIN.bottom - (value / yMost) * (HEIGHT - MARGIN.top - MARGIN.bottom));
  const parts = [`<text x="${MARGIN.left}" y="18" style="font-weight:600">${title}</text>`];
  for (let n = 0; n <= 4; n += 1) {
    const value = (yMost * n) / 4;
    parts.push(`<line class="grid" x1="${x(0)}" x2="${x(xMost)}" y1="${y(value)}" y2="${y(value)}"/>`);
    parts.push(
      `<text x="${MARGIN.left - 6}" y="${y(value) + 4}" text-anchor="end">${value.toLocaleString('en')}</text>`,
    );
  }
  const ticks = new Set(all.map(([value]) => value));
  for (const value of ticks) {
    parts.push(
      `<text x="${x(value)}" y="${HEIGHT - MARGIN.bottom + 18}" text-anchor="middle">${value / 1000}k</text>`,
    );
  }
  parts.push(`<line class="axis" x1="${x(0)}" x2="${x(xMost)}" y1="${y(0)}" y2="${y(0)}"/>`);
  parts.push(`<text x="${(x(0) + x(xMost)) / 2}" y="${HEIGHT - 8}" text-anchor="middle">${xLabel}</text>`);
  for (const [n, { name, colour, points }] of lines.entries()) {
    const path = points.map(([a, b]) => `${x(a)},${y(b)}`).join(' ');
    parts.push(`<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`);
    for (const [a, b] of points) parts.push(`<circle cx="${x(a)}" cy="${y(b)}" r="3" fill="${colour}"/>`);
    const at = MARGIN.top + 8 + 16 * n;
    parts.push(`<circle cx="${MARGIN.left + 12}" cy="${at - 4}" r="4" fill="${colour}"/>`);
    parts.push(`<text x="${MARGIN.left + 22}" y="${at}">${name}</text>`);
  }
  return parts.join('');
}

/** @returns a round number that is no less, divisible by four */
function niceMost(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 4, 6, 8, 10].find((factor) => factor * power >= value) ?? 10) * power;
}

const round = (value: number): number => Math.round(value * 10) / 10;
