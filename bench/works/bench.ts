/** The subjects of one size, shared by the works and measured in turns. */

import { type Random, randomFrom } from '../data/random';
import type { Checks, Result } from '../measure';
import type { SubjectName } from '../subjects/main';
import { SubjectProcess } from '../subjects/process';
import type { BenchWorld, Size } from '../world';

export interface Options {
  subjects: readonly SubjectName[];
  /** How often heavy works are repeated. */
  repetitions: number;
  profile: string | null;
}

export class Bench {
  readonly random: Random = randomFrom(1);
  readonly results: Result[] = [];
  /** Median ms of an empty call. */
  readonly callMs = new Map<SubjectName, number>();
  private readonly folders = new Map<SubjectName, string>();
  private readonly running = new Map<SubjectName, SubjectProcess>();
  private edits = 0;

  constructor(
    readonly world: BenchWorld,
    readonly size: Size,
    readonly checks: Checks,
    readonly options: Options,
  ) {}

  /**
   * A process on the subject's filled database, or on an empty one.
   * @param heapMb most that its heap may take, MB; else as much as Node gives it
   */
  start(name: SubjectName, fresh = false, heapMb?: number): Promise<SubjectProcess> {
    const folder = fresh ? this.world.newFolder() : (this.folders.get(name) ?? this.world.newFolder());
    this.folders.set(name, folder);
    return SubjectProcess.start(name, this.world.setup(this.size, folder), this.options.profile, heapMb);
  }

  /** Another process on the database that `start` was last called with. */
  startBeside(name: SubjectName): Promise<SubjectProcess> {
    return SubjectProcess.start(name, this.world.setup(this.size, this.folders.get(name)), null);
  }

  /** @returns the subject with its database filled and open, the same process each time. */
  async subject(name: SubjectName): Promise<SubjectProcess> {
    const known = this.running.get(name);
    if (known) return known;
    const subject = await this.start(name);
    await subject.tell('open');
    await subject.tell('sync');
    this.running.set(name, subject);
    return subject;
  }

  /** Calls for each subject in turn, beginning with another one each time. */
  async inTurns(repetitions: number, work: (name: SubjectName, repetition: number) => Promise<void>) {
    const { subjects } = this.options;
    for (let repetition = 0; repetition < repetitions; repetition += 1) {
      for (let n = 0; n < subjects.length; n += 1) {
        await work(subjects[(n + repetition) % subjects.length] as SubjectName, repetition);
      }
    }
  }

  async endAll(): Promise<void> {
    for (const subject of this.running.values()) await subject.end();
    this.running.clear();
  }

  /** @returns tasks that are all different */
  tasks(count: number): string[] {
    const { taskIds } = this.size;
    const chosen = new Set<string>();
    while (chosen.size < count) chosen.add(taskIds[Math.floor(this.random() * taskIds.length)] as string);
    return [...chosen];
  }

  /** @returns a title that no task has had before. */
  newTitle(): string {
    this.edits += 1;
    return `Title ${this.size.name} ${this.edits}`;
  }
}
