/** The shortest list of steps that still breaks the same rule (delta debugging, Zeller 2002). */

import type { Program, Step } from './program';
import type { Outcome } from './run';

/**
 * @param rule that has to be broken again; another one would be another finding
 * @param mostRuns bounds the work
 */
export async function shrink(
  program: Program,
  rule: string,
  runAgain: (program: Program) => Promise<Outcome>,
  mostRuns = 150,
): Promise<Program> {
  let runs = 0;
  const breaks = async (steps: Step[]): Promise<boolean> => {
    if (runs >= mostRuns) return false;
    runs += 1;
    const { violations } = await runAgain({ ...program, steps });
    return violations[0]?.rule === rule;
  };
  let steps = program.steps;
  for (let size = Math.ceil(steps.length / 2); size >= 1 && runs < mostRuns; ) {
    let removed = false;
    for (let start = 0; start < steps.length; ) {
      const rest = [...steps.slice(0, start), ...steps.slice(start + size)];
      if (await breaks(rest)) {
        steps = rest;
        removed = true;
      } else start += size;
    }
    if (!removed || size > steps.length) size = size === 1 ? 0 : Math.ceil(size / 2);
  }
  return { ...program, steps };
}
