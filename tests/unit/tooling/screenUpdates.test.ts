import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

it('screens update records through useSaveEdit alone, against the values that were seen', () => {
  const files = readdirSync('src/web', { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.tsx?$/.test(file) && !file.endsWith('useSaveEdit.ts'))
    .map((file) => `src/web/${file}`);
  expect(files.length).toBeGreaterThan(50);
  const updates = /\bupdate(Task|TaskStage|Workspace|Project|Milestone|Pattern|BestPractice|MemberRole)\b/;
  expect(files.filter((file) => updates.test(readFileSync(file, 'utf8')))).toEqual([]);
});
