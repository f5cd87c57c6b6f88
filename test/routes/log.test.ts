import { expect, test } from '@jest/globals';
import { createLog, faultOf, withoutPersonalData, withoutSecrets } from '../../src/runtime/index.js';

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
  const { query: sql, ...driver } = error;
  const thrown = Object.assign(new Error(error.message), { ...driver, sql });
  expect(kept(thrown)).toMatchObject({ message: 'a statement failed', code: 'ER_DATA_TOO_LONG' });
});

test('a text that could not be parsed is not quoted', () => {
  let thrown: unknown;
  try {
    JSON.parse('{"name":张三}');
  } catch (error) {
    thrown = error;
  }
  expect(kept(thrown)).toMatchObject({ type: 'SyntaxError', message: 'a text could not be parsed' });
  expect(JSON.stringify(kept(thrown))).not.toContain('张三');
});

test('an object that was logged whole by mistake loses what names a person', () => {
  const lines: string[] = [];
  const log = createLog('info', 'test', { write: (line: string) => void lines.push(line) });
  const party = { name: '张三', idNo: '11010519491231002X', mobile: '13800000000', legalRepresentative: '张三' };
  const payer = { name: '张三', account: '622202000000000007' };
  log.info({ event: 'x', party, payer, order: { payer, settlementAccount: payer }, ...party, deep: { order: { party } } });
  expect(lines[0]).toContain('"event":"x"');
  for (const plain of ['张三', '11010519491231002X', '13800000000', '622202000000000007']) expect(lines[0]).not.toContain(plain);
});

test('what staff reads of an attempt tells who was acted upon, with no number whole', () => {
  const detail = {
    params: { platform: 'plt_1' },
    body: {
      name: '某某平台',
      requestNo: 'R-1',
      data: { account: 'acc_2236512894231552003', payer: { name: '张三丰', account: '622202000000000007', bankCode: '' } },
      people: [{ name: '张三', idNo: '11010519491231002X', mobile: '13800000000', address: '某路 1 号' }],
      particulars: { occupation: 'x' },
    },
  };
  expect(withoutPersonalData(detail)).toEqual({
    params: { platform: 'plt_1' },
    body: {
      name: '某某平台',
      requestNo: 'R-1',
      data: { account: 'acc_2236512894231552003', payer: { name: '张**', account: '622202********0007', bankCode: '' } },
      people: [{ name: '张*', idNo: '110*************2X', mobile: '138****0000', address: '[redacted]' }],
      particulars: '[redacted]',
    },
  });
  expect(withoutSecrets({ a: [{ token: 'x', password: 'y' }] })).toEqual({
    a: [{ token: '[redacted]', password: '[redacted]' }],
  });
});
