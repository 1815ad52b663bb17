import { describe, expect, it } from 'vitest';
import type { Json } from '@/core/protocol';
import { ACTIVITY_TYPES } from '@/domain/vocabulary';
import { activityText } from '@/web/tasks/activityText';

const NAMES: Record<string, string> = { u1: 'Mara', u2: 'Agent' };
const nameOf = (id: string | null) => NAMES[id ?? ''] ?? 'Somebody';
const sentence = (activity_type: string, details: Json) =>
  activityText({ activity_type, details }, nameOf).sentence;

describe('entries of the feed in words', () => {
  it('quotes comments', () => {
    const comment = activityText({ activity_type: 'comment', details: { text: 'Ready.' } }, nameOf);
    expect(comment).toEqual({ sentence: 'commented', quote: 'Ready.', otherTask: null });
  });

  it('names stages in title case', () => {
    expect(sentence('stage_changed', { from: 'PLAN_REVIEW', to: 'IMPLEMENT' })).toBe(
      'moved it from Plan review to Implement',
    );
  });

  it('say which checkpoints a move jumped, and why (V6)', () => {
    const details = { from: 'PLAN', to: 'IMPLEMENT', jumped: ['PLAN_REVIEW'], reason: 'One line.' };
    expect(activityText({ activity_type: 'stage_changed', details }, nameOf)).toMatchObject({
      sentence: 'moved it from Plan to Implement, past Plan review without a review',
      quote: 'One line.',
    });
  });

  it('say which checkpoints a task that was finished jumped (V6)', () => {
    const changes = { status: ['in_progress', 'done'] };
    const details = { fields: ['status'], changes, jumped: ['CODE_REVIEW'], reason: null };
    expect(sentence('task_updated', details)).toBe(
      'changed the status from In progress to Done, past Code review without a review',
    );
  });

  it('say which agent ended, and why (A4)', () => {
    const details = { name: 'Bot', maker_name: 'Mara', made_by: 'u1', why: 'left' };
    expect(sentence('agent_ended', details)).toBe('ended the agent “Bot”, since “Mara”, who made it, left');
    expect(sentence('agent_ended', { ...details, why: 'toString' })).toMatch(/makes no agents any more$/);
  });

  it('tell of reviews, questions and deleted comments, whatever their details hold (V1, F4)', () => {
    const text = (type: string, details: Json) => activityText({ activity_type: type, details }, nameOf);
    expect(text('review_requested', { stage: 'PLAN_REVIEW', text: 'Look.' })).toMatchObject({
      sentence: 'asked for a review at Plan review',
      quote: 'Look.',
    });
    expect(text('review_returned', { reason: 'No tests.' })).toMatchObject({ quote: 'No tests.' });
    expect(text('question', { to: 'u2', text: 'Why?' })).toMatchObject({
      sentence: 'asked Agent',
      quote: 'Why?',
    });
    expect(text('comment', { deleted: true })).toMatchObject({ sentence: 'commented', quote: '(deleted)' });
    for (const type of ACTIVITY_TYPES) {
      for (const details of [null, [], 'x', { text: [1], to: {}, jumped: 'x', reason: 3 }]) {
        expect(typeof text(type, details as Json).sentence).toBe('string');
      }
    }
  });

  it('names old and new values where they are readable', () => {
    const details = {
      fields: ['title', 'description', 'status', 'assignee_id', 'completion_date'],
      changes: {
        title: ['Old', 'New'],
        status: ['todo', 'done'],
        assignee_id: [null, 'u1'],
        completion_date: [null, '2026-03-01T12:00:00.000Z'],
      },
    };
    expect(sentence('task_updated', details)).toBe(
      'changed the title from “Old” to “New”, the description, the status from To do to Done and the assignee from nobody to Mara',
    );
  });

  it('links the task that another depends on', () => {
    const { otherTask } = activityText(
      { activity_type: 'dependency_added', details: { depends_on_task_id: 't2', title: 'First this' } },
      nameOf,
    );
    expect(otherTask).toEqual({ id: 't2', title: 'First this' });
  });

  it.each([...ACTIVITY_TYPES, 'code_reviewed'])('has a text for %s, whatever its details are', (type) => {
    for (const details of [{}, null, [], 'text', 7, { fields: 'x', changes: [1], from: 3 }] as Json[]) {
      expect(sentence(type, details)).toMatch(/^[a-z][^{[]*$/);
    }
  });
});
