/** A task's context as text for an agent, within a budget of tokens. */

import { ConvoyError } from '@/core/errors';
import { Authors } from '@/domain/contextText/authors';
import { LEAST_TOKENS, type RenderedContext, type RenderOptions, render } from '@/domain/contextText/render';
import type { TaskContext } from '@/domain/entities';

export type { Freshness, RenderedContext, RenderOptions } from '@/domain/contextText/render';

/** The tokenizer has 2 MB of ranks: the runtime loads it when it is first needed, and keeps it. */
async function loadCounter(): Promise<(text: string) => number> {
  const { countTokens } = await import('gpt-tokenizer/encoding/o200k_base');
  // Text is data: what looks like one of the model's own tokens is counted as the characters that it is.
  return (text) => countTokens(text, { disallowedSpecial: new Set() });
}

/**
 * @returns Markdown of at most `maxTokens` o200k tokens: what matters most of the context, what is left out and how to get
 * it. Rejects with `validation/bad_value` for a budget below 200.
 */
export async function renderTaskContext(
  context: TaskContext,
  options: RenderOptions,
): Promise<RenderedContext> {
  const { maxTokens, members = [] } = options;
  if (!Number.isInteger(maxTokens) || maxTokens < LEAST_TOKENS) {
    const message = `maxTokens has to be a whole number from ${LEAST_TOKENS}.`;
    throw new ConvoyError({ kind: 'validation', code: 'bad_value', field: 'maxTokens', message });
  }
  return render(context, new Authors(members), options, await loadCounter());
}
