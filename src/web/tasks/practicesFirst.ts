/** Best practices in the order in which the stage of a task needs them. Pure. */

import type { BestPractice } from '@/domain/entities';

/**
 * @param stage of the task, as in CODE_REVIEW
 * @returns those that name the stage, or one of its words, in their name or category, then the others; each in the order given
 */
export function practicesFirst(practices: readonly BestPractice[], stage: string): BestPractice[] {
  const words = stage.toLowerCase().split(/[^\p{L}\p{N}]+/u);
  const stems = words.filter((word) => word.length > 2);
  const isOfStage = ({ name, category }: BestPractice) => {
    const told = `${name} ${category}`.toLowerCase().split(/[^\p{L}\p{N}]+/u);
    return stems.some((stem) => told.some((word) => word.startsWith(stem)));
  };
  return [...practices.filter(isOfStage), ...practices.filter((one) => !isOfStage(one))];
}
