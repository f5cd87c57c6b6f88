import { expect, test } from '@jest/globals';
import { createLog, faultOf } from '../../src/runtime/index.js';

/** What one line of the log keeps of an error. */
function kept(error: unknown): Record<string, unknown> {
  const lines: string[] = [];
  createLog('info', 'test', { write: (line: string) => void lines.push(line) }).error({ event: 'job.failed', error });
  return (JSON.parse(lines[0] ?? '{}') as { error: Record<string, unknown> }).error;
}

test('a line about an error says what happened and where, whether it was made fit to be kept before or not', () => {
  const error = new TypeError('no such thing', { cause: new Error('the wire was cut') });
  for (const given of [error, faultOf(error)]) {
    expect(kept(given)).toMatchObject({
      type: 'TypeError',
      message: 'no such thing',
      stack: expect.stringContaining('log.test'),
      cause: { message: 'the wire was cut' },
    });
  }
});

test('a line about a statement that failed keeps nothing of the statement', () => {
  const error = Object.assign(new Error("Data too long: '张三'"), {
    query: "INSERT INTO orders VALUES ('张三')",
    code: 'ER_DATA_TOO_LONG',
  });
  expect(kept(error)).toMatchObject({ message: 'a statement failed', code: 'ER_DATA_TOO_LONG' });
  expect(JSON.stringify(kept(error))).not.toContain('张三');
});
