/** The verdict on a test run. Pure: it reads vitest's JSON report and runs nothing. */

/** The part of vitest's JSON report (Jest's format) that counts. */
export interface VitestReport {
  testResults: {
    name: string;
    status: string;
    message?: string;
    assertionResults: { fullName: string; status: string }[];
  }[];
}

/** A test that may be skipped on platforms that lack its prerequisites. */
export interface PlatformSkip {
  /** Regular expression that a test's full name must match. */
  title: string;
  reason: string;
  /** Platforms (`<process.platform>-<process.arch>`) on which the test has to run all the same. */
  runsOn: string[];
}

export interface Summary {
  passed: number;
  /** Failed tests, files that could not be loaded, failed checks, and a run that broke off. */
  failed: number;
  skipped: number;
  failures: string[];
  /** Skipped without being on the list. */
  unlistedSkips: string[];
  /** Requested projects of which no test passed or failed. */
  emptyProjects: string[];
}

/** The expectations that a report is compared with. */
export interface Expectations {
  /** Folders of tests/, each of which must have run something. */
  projects: string[];
  skips: PlatformSkip[];
  /** `<process.platform>-<process.arch>` */
  platform: string;
}

/**
 * @param report vitest's report, or null when it left none
 * @param exitCode of vitest: not 0 without a failed test means that the run itself broke
 */
export function summarise(
  report: VitestReport | null,
  exitCode: number,
  { projects, skips, platform }: Expectations,
): Summary {
  const summary: Summary = {
    passed: 0,
    failed: 0,
    skipped: 0,
    failures: [],
    unlistedSkips: [],
    emptyProjects: [],
  };
  const empty = new Set(projects);
  for (const file of report?.testResults ?? []) {
    let failedHere = 0;
    for (const test of file.assertionResults) {
      if (test.status === 'passed') summary.passed += 1;
      else if (test.status === 'failed') {
        failedHere += 1;
        summary.failures.push(test.fullName);
      } else {
        // pending, skipped, todo, disabled: in every case it did not run
        summary.skipped += 1;
        if (!isListed(test.fullName, skips, platform)) summary.unlistedSkips.push(test.fullName);
      }
    }
    const ran = file.assertionResults.some(({ status }) => status === 'passed' || status === 'failed');
    if (ran) for (const project of projects) if (isOf(project, file.name)) empty.delete(project);
    if (file.status === 'failed' && failedHere === 0) summary.failures.push(file.name);
  }
  if (exitCode !== 0 && summary.failures.length === 0) {
    summary.failures.push(`vitest ended with code ${exitCode}`);
  }
  summary.failed = summary.failures.length;
  summary.emptyProjects = [...empty];
  return summary;
}

/** @returns why the run does not count as a success, or null when it does. */
export function verdict(summary: Summary): string | null {
  if (summary.failed > 0) return `failed: ${summary.failures.join('; ')}`;
  if (summary.unlistedSkips.length > 0) {
    return `skipped without being listed in tests/platform-skips.json: ${summary.unlistedSkips.join('; ')}`;
  }
  if (summary.passed === 0) return 'no test ran';
  // Without this, a suite that vitest no longer finds would look like a passing one.
  return summary.emptyProjects.length > 0 ? `no test ran of: ${summary.emptyProjects.join(', ')}` : null;
}

/** The last line of every run. */
export function lastLine(summary: Summary): string {
  return `${summary.passed} passed, ${summary.failed} failed, ${summary.skipped} skipped`;
}

function isOf(project: string, file: string): boolean {
  return file.replaceAll('\\', '/').includes(`/tests/${project}/`);
}

function isListed(title: string, skips: PlatformSkip[], platform: string): boolean {
  return skips.some((skip) => !skip.runsOn.includes(platform) && new RegExp(skip.title).test(title));
}
