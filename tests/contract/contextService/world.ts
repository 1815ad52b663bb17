/** What the sections of the Context Service contract share: the accounts, and how errors are expected. */

import { expect } from 'vitest';
import { type AppError, ConvoyError } from '@/core/errors';
import type { ContextService } from '@/domain/contextService';
import type { Activity, Milestone, Task } from '@/domain/entities';
import type { Role } from '@/domain/vocabulary';
import type { SqlBackend } from '@/server';
import { SEED } from '../../support/seed';

/** The four members of the demo's workspace, and somebody who is in none of its workspaces. */
export type Account = Role | 'outsider';

export interface ContractSetup {
  /** The service as this account sees it. Always the same one for an account. */
  service(account: Account): ContextService;
  /** The account's user id. */
  userId(account: Account): string;
  /** Returns when what any account wrote is visible to all who may see it. */
  settle(): Promise<void>;
  /** The database of the server, for what takes too long through the service. */
  backend: SqlBackend;
  close(): Promise<void>;
}

/** What the tests of the suite share. */
export interface World {
  readonly owner: ContextService;
  readonly editor: ContextService;
  readonly viewer: ContextService;
  readonly agent: ContextService;
  readonly outsider: ContextService;
  readonly backend: SqlBackend;
  userId(account: Account): string;
  settle(): Promise<void>;
  /** A new milestone of the field app, visible to all members. */
  milestone(): Promise<Milestone>;
  /** A new task of the owner, visible to all members. */
  task(values?: Partial<Parameters<ContextService['createTask']>[0]>): Promise<Task>;
  /** The task's activities as this service shows them, oldest first. */
  feed(service: ContextService, taskId: string): Promise<Activity[]>;
}

export type Section = (world: () => World) => void;

export function worldOf(setup: ContractSetup): World {
  const owner = setup.service('owner');
  const newMilestone = () => owner.createMilestone({ project_id: SEED.fieldApp, name: 'Contract' });
  const world: World = {
    owner,
    editor: setup.service('editor'),
    viewer: setup.service('viewer'),
    agent: setup.service('agent'),
    outsider: setup.service('outsider'),
    backend: setup.backend,
    userId: (account) => setup.userId(account),
    settle: () => setup.settle(),
    async milestone() {
      const made = await newMilestone();
      await setup.settle();
      return made;
    },
    async task(values = {}) {
      // Both travel together: to settle takes the most of these tests' time.
      const milestone_id = values.milestone_id ?? (await newMilestone()).id;
      const made = await owner.createTask({ title: 'A task', ...values, milestone_id });
      await setup.settle();
      // Read again: what is written locally takes the server's stamps when it gets there.
      return (await owner.getTaskContext(made.id))?.task ?? made;
    },
    async feed(service, taskId) {
      const context = await service.getTaskContext(taskId);
      return (context?.activities ?? []).toReversed();
    },
  };
  return world;
}

/** Expects a ConvoyError whose detail has at least these fields. */
export async function expectError(promise: Promise<unknown>, expected: Partial<AppError>): Promise<void> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ConvoyError);
  const { detail, code } = error as ConvoyError;
  expect(detail).toMatchObject(expected);
  expect(code).toBe(detail.code);
  expect(detail.message).not.toBe('');
}

export function validation(code: string, field: string): Partial<AppError> {
  return { kind: 'validation', code, field } as Partial<AppError>;
}

export function rejected(code: string): Partial<AppError> {
  return { kind: 'rejected', code } as Partial<AppError>;
}

/** An id of the right shape that no record has. */
export const UNKNOWN_ID = '01900000-dead-7000-8000-00000000beef';
/** As `toISOString()` writes it. */
export const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
