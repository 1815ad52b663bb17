import { describe, expect, it } from 'vitest';
import { lastLine, summarise, type VitestReport, verdict } from '../../../scripts/test-report';

const LINUX = 'linux-x64';

function report(...statuses: string[]): VitestReport {
  const assertionResults = statuses.map((status, index) => ({ fullName: `test ${index}`, status }));
  const status = statuses.includes('failed') ? 'failed' : 'passed';
  return { testResults: [{ name: 'a.test.ts', status, assertionResults }] };
}

describe('the verdict on a test run', () => {
  it('counts what passed and lets it pass', () => {
    const summary = summarise(report('passed', 'passed'), 0, [], LINUX);
    expect(lastLine(summary)).toBe('2 passed, 0 failed, 0 skipped');
    expect(verdict(summary)).toBeNull();
  });

  it('fails when a test failed', () => {
    const summary = summarise(report('passed', 'failed'), 1, [], LINUX);
    expect(lastLine(summary)).toBe('1 passed, 1 failed, 0 skipped');
    expect(verdict(summary)).toContain('test 1');
  });

  it('fails when no test ran', () => {
    expect(verdict(summarise(report(), 0, [], LINUX))).toBe('no test ran');
  });

  it('fails when vitest left no report', () => {
    expect(verdict(summarise(null, 1, [], LINUX))).toContain('vitest ended with code 1');
    expect(verdict(summarise(null, 0, [], LINUX))).toBe('no test ran');
  });

  it('fails when a file could not be loaded', () => {
    const broken = { name: 'b.test.ts', status: 'failed', assertionResults: [] };
    const both = { testResults: [...report('passed').testResults, broken] };
    expect(summarise(both, 1, [], LINUX).failures).toEqual(['b.test.ts']);
  });

  it('fails when every test passed but vitest did not, as with an unhandled rejection', () => {
    expect(summarise(report('passed'), 1, [], LINUX).failed).toBe(1);
  });

  it.each(['pending', 'skipped', 'todo', 'disabled'])(
    'fails on a test left %s without being listed',
    (how) => {
      const summary = summarise(report('passed', how), 0, [], LINUX);
      expect(lastLine(summary)).toBe('1 passed, 0 failed, 1 skipped');
      expect(verdict(summary)).toContain('test 1');
    },
  );

  it('accepts a listed skip, but not on a platform where the test has to run', () => {
    const skips = [{ title: '^test 1$', reason: 'no binary for this platform', runsOn: [LINUX] }];
    expect(verdict(summarise(report('passed', 'skipped'), 0, skips, 'darwin-arm64'))).toBeNull();
    expect(verdict(summarise(report('passed', 'skipped'), 0, skips, LINUX))).toContain('test 1');
  });
});
