import { describe, expect, test } from '@jest/globals';
import { blankStringsAndComments, inspect } from '../../scripts/quality/tidy.js';

const bans = (file: string, text: string) => inspect(file, text).map(({ line, ban }) => `${line} ${ban}`);

describe('tidy finds what the house does without', () => {
  test.each([
    ['parseFloat(amount)', 'parseFloat'],
    ['total.toFixed(2)', 'toFixed'],
    ['Date.now()', 'Date.now'],
    ['new Date(0)', 'new Date'],
    ['Math.random()', 'Math.random'],
    ['process.env.PORT', 'process.env'],
    ["console.log('x')", 'console'],
    ["tx.write('insert ignore into t')", 'INSERT IGNORE'],
    ['// TO' + 'DO later', 'open ends'],
    ['// @ts-' + 'ignore', 'ts-ignore'],
  ])('%s in a stage', (line, ban) => {
    expect(bans('src/ledger/store.ts', `const a = 1;\n${line}\n`)).toEqual([`2 ${ban}`]);
  });

  test('waiting, in rules, states and kinds alone', () => {
    const text = 'export async function decide() {}\n';
    expect(bans('src/ledger/rules.ts', text)).toEqual(['1 waiting in a pure file']);
    expect(bans('src/instructions/kinds/split.ts', text)).toEqual(['1 waiting in a pure file']);
    expect(bans('src/ledger/store.ts', text)).toEqual([]);
  });

  test('a file of more than 500 lines', () => {
    expect(bans('src/ledger/store.ts', 'a;\n'.repeat(501))).toEqual(['500 long file']);
    expect(bans('src/ledger/store.ts', 'a;\n'.repeat(499))).toEqual([]);
  });

  test('a test that sleeps, or is left out', () => {
    expect(bans('test/rules/a.test.ts', 'setTimeout(go, 50);\ntest' + '.skip(x);\n')).toEqual([
      '1 sleeping test',
      '2 skipped test',
    ]);
  });
});

describe('tidy leaves alone', () => {
  test('the files that an exception names, with its reason', () => {
    expect(bans('src/runtime/clock.ts', 'Date.now();\n')).toEqual([]);
  });

  test('words in comments, strings, templates and regular expressions', () => {
    const lines = [
      '// console.log',
      "const a = 'Date.now()';",
      'const b = `new Date parseFloat`;',
      'const d = /console\\.["`]/;',
    ];
    expect(bans('src/ledger/store.ts', `${lines.join('\n')}\n`)).toEqual([]);
  });
});

describe('blanking strings and comments', () => {
  test('keeps length and line breaks, and the code inside templates', () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a program
    const text = "const a = b / c / d; /* x\n y */ return /'/.test(`t ${f({ g: `n ${h} m` })} u`); // 中文\nlast();";
    const blanked = blankStringsAndComments(text);
    expect(blanked).toHaveLength(text.length);
    expect(blanked.replace(/ +/g, ' ')).toBe(
      'const a = b / c / d; \n return .test( f({ g: h })  ); \nlast();'.replace(/ +/g, ' '),
    );
  });
});
