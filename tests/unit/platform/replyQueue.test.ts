import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Reply } from '@/platform/web/store/messages';
import { ReplyQueue } from '@/platform/web/store/replyQueue';

const answer = (id: number): Reply => ({ type: 'answer', id, value: null, seq: null });

describe('the replies of a page whose timers stand still, as those of a hidden page nearly do', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval'] }));
  afterEach(() => void vi.useRealTimers());

  it('are handled in their order once foreign writes are read, each in a task of its own (D42)', async () => {
    const handled: string[] = [];
    const queue = new ReplyQueue(
      (reply) => {
        handled.push(`reply ${'id' in reply ? reply.id : ''}`);
        queueMicrotask(() => handled.push('its caller'));
      },
      () => handled.push('empty'),
    );
    queue.pause();
    for (const id of [1, 2]) queue.receive(answer(id), false);
    expect(handled).toEqual([]);
    queue.resume(() => handled.push('resumed'));
    await expect
      .poll(() => handled)
      .toEqual(['resumed', 'reply 1', 'its caller', 'reply 2', 'its caller', 'empty']);
  });
});
