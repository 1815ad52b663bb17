import { describe, expect, it } from 'vitest';
import { lastLine, summarise, type VitestReport, verdict } from '../../../scripts/test/report';

const LINUX = 'linux-x64';
const STRICT = { projects: ['unit'], skips: [], platform: LINUX };

function report(...statuses: string[]): VitestReport {
  const assertionResults = statuses.map((status, index) => ({ fullName: `test ${index}`, status }));
  const status = statuses.includes('failed') ? 'failed' : 'passed';
  return { testResults: [{ name: '/convoy/tests/unit/a.test.ts', status, assertionResults }] };
}

describe('the verdict on a test run', () => {
  it('counts what passed and lets it pass', () => {
    const summary = summarise(report('passed', 'passed'), 0, STRICT);
    expect(lastLine(summary)).toBe('2 passed, 0 failed, 0 skipped');
    expect(verdict(summary)).toBeNull();
  });

  it('fails when a test failed', () => {
    const summary = summarise(report('passed', 'failed'), 1, STRICT);
    expect(lastLine(summary)).toBe('1 passed, 1 failed, 0 skipped');
    expect(verdict(summary)).toContain('test 1');
  });

  it('fails when no test ran', () => {
    expect(verdict(summarise(report(), 0, STRICT))).toBe('no test ran');
  });

  it('fails when no test of one of the projects ran', () => {
    const both = { ...STRICT, projects: ['unit', 'e2e'] };
    expect(verdict(summarise(report('passed'), 0, both))).toBe('no test ran of: e2e');
  });

  it('fails when vitest left no report', () => {
    expect(verdict(summarise(null, 1, STRICT))).toContain('vitest ended with code 1');
    expect(verdict(summarise(null, 0, STRICT))).toBe('no test ran');
  });

  it('fails when a file could not be loaded', () => {
    const broken = { name: 'b.test.ts', status: 'failed', assertionResults: [] };
    const both = { testResults: [...report('passed').testResults, broken] };
    expect(summarise(both, 1, STRICT).failures).toEqual(['b.test.ts']);
  });

  it('fails when every test passed but vitest did not, as with an unhandled rejection', () => {
    expect(summarise(report('passed'), 1, STRICT).failed).toBe(1);
  });

  it.each(['pending', 'skipped', 'todo', 'disabled'])(
    'fails on a test left %s without being listed',
    (how) => {
      const summary = summarise(report('passed', how), 0, STRICT);
      expect(lastLine(summary)).toBe('1 passed, 0 failed, 1 skipped');
      expect(verdict(summary)).toContain('test 1');
    },
  );

  it('accepts a listed skip, but not on a platform where the test has to run', () => {
    const skips = [{ title: '^test 1$', reason: 'no binary for this platform', runsOn: [LINUX] }];
    expect(
      verdict(summarise(report('passed', 'skipped'), 0, { ...STRICT, skips, platform: 'darwin-arm64' })),
    ).toBeNull();
    expect(verdict(summarise(report('passed', 'skipped'), 0, { ...STRICT, skips }))).toContain('test 1');
  });
});
