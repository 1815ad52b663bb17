import { describe, expect, it } from 'vitest';
import { type AppError, ConvoyError } from '@/core/errors';
import type { Invitation } from '@/domain/invitations';
import { ROLES } from '@/domain/vocabulary';
import {
  asRole,
  invitationLink,
  invitationSentence,
  inviteFailure,
  memberName,
  receiverText,
  validUntil,
} from '@/web/places/invitationText';

const INVITATION: Invitation = {
  id: 'i1',
  workspace_id: 'w1',
  workspace_name: 'Lighthouse',
  role: 'editor',
  invited_by: 'Mara',
  expires_at: '2026-12-12T12:00:00Z',
  is_member: false,
};

describe('invitations in words', () => {
  it('names who invites, to which workspace, and as what', () => {
    expect(invitationSentence(INVITATION)).toBe(
      'Mara invites you to the workspace “Lighthouse” as an editor.',
    );
    expect(invitationSentence({ ...INVITATION, invited_by: '' })).toMatch(/^An owner invites you/);
  });

  it('says until when, and for whom', () => {
    expect(validUntil(INVITATION.expires_at)).toBe('valid until 12 Dec 2026');
    expect(receiverText({ email: 'ada@example.com' })).toBe('ada@example.com');
    expect(receiverText({ email: null })).toBe('Whoever opens the link first');
  });

  it('links to the page of the invitation', () => {
    expect(invitationLink('https://convoy.example', 'i1')).toBe('https://convoy.example/invitation/i1');
  });

  it.each(ROLES)('has an article for the role %s', (role) => {
    expect(asRole(role)).toBe(`as ${/^[aeiou]/.test(role) ? 'an' : 'a'} ${role}`);
  });

  it('does not say that nobody was invited where the answer of the server is missing', () => {
    const failure = (detail: AppError) => inviteFailure(new ConvoyError(detail));
    const sent = { kind: 'transport', message: '' } as const;
    expect(failure({ ...sent, code: 'offline' })).toMatch(/^No answer came/);
    expect(failure({ ...sent, code: 'timeout' })).toMatch(/^No answer came/);
    expect(failure({ ...sent, code: 'rate_limited', retryAfterMs: null })).toBe('Nobody was invited.');
    expect(inviteFailure(new Error('a bug'))).toBe('Nobody was invited.');
  });

  it('has a name for a member without one', () => {
    expect(memberName({ display_name: 'Ada' })).toBe('Ada');
    expect(memberName({ display_name: '' })).toBe('A member without a name');
  });
});
