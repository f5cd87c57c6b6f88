import { expect, test } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import { csvLine } from '../../src/runtime/index.js';

test('a cell comes back whole, whatever is in it', () => {
  const cells = ['甲商户', 'a "quoted" name', 'two\r\nlines', 'a,b', '', 'x=1', ' '];
  expect(parse(csvLine([...cells, 12, 90n, null]))).toEqual([[...cells, '12', '90', '']]);
});

test('no cell begins as a formula does, and a number stays one', () => {
  for (const sign of ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']) {
    const text = `${sign}cmd|'/c calc'!A1`;
    expect(parse(csvLine([text]))).toEqual([[`'${text}`]]);
  }
  expect(csvLine(['-1+2', '+8613800138000', '-', '-1.'])).toBe("'-1+2,'+8613800138000,'-,'-1.\r\n");
  expect(csvLine(['-12.34', -5n, -7, '-0.01'])).toBe('-12.34,-5,-7,-0.01\r\n');
});
