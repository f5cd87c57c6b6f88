import { writeFileSync } from 'node:fs';

/** Leaves the counts of a run where `scripts/run.mjs` finds them for its closing line. */
export default class CountsReporter {
  onRunComplete(_contexts, results) {
    const file = process.env.TEST_COUNTS_FILE;
    if (file === undefined) return;
    // A file that could not be loaded has no failed test in it, and has failed all the same.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    writeFileSync(file, JSON.stringify({ passed: results.numPassedTests, failed }));
  }
}
