import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { groupSubmission } from '../../src/agreements/groups/wire.js';
import { checkRule, compileRule, evaluateRule } from '../../src/agreements/index.js';
import { submission } from '../../src/agreements/version-wire.js';
import { ruleSchema, termsSchema } from '../../src/agreements/wire.js';
import { payment } from '../../src/instructions/kinds/payment.js';
import { CATEGORIES } from '../../src/migrations/data/categories.js';

const guide = readFileSync(join(import.meta.dirname, '../../docs/agreements.md'), 'utf8');
const blocks = [...guide.matchAll(/^```json (\w+)\n(.*?)^```/gms)].map(([, what = '', text = '']) => ({ what, text }));
const nodes = [...guide.matchAll(/^\| ([^|]+) \| `(\{.*\})` \| (\d+) \|$/gm)].map(([, node = '', line = '', fen = '']) => ({
  node,
  line,
  fen,
}));

/** What the guide tells platforms to send is what the API takes. */
describe('the guide of agreements', () => {
  it.each(blocks.filter(({ what }) => !['payment', 'terms'].includes(what)))(
    'has bodies that are taken: $what',
    ({ what, text }) => {
      const schema = { submission, group: groupSubmission, rule: ruleSchema }[what];
      const parsed = schema?.safeParse(JSON.parse(text));
      expect(parsed?.error).toBeUndefined();
      expect(parsed?.success).toBe(true);
      const json = JSON.parse(text);
      const rule = ruleSchema.parse(json.terms?.rule ?? json);
      expect(checkRule(rule, { others: 3000n, commission: 1000n })).toEqual([]);
    },
  );

  it('pays an order with a body that is taken, and names every category that there is', () => {
    const paid = JSON.parse(blocks.find(({ what }) => what === 'payment')?.text ?? '{}');
    expect(paid.kind).toBe(payment.name);
    expect(payment.schema.safeParse(paid.data).error).toBeUndefined();
    const table = guide.slice(guide.indexOf('| category |'), guide.indexOf('## A thousand'));
    const named = [...table.matchAll(/^\| (`.*`) \|/gm)].flatMap(([, cell = '']) => cell.replaceAll('`', '').split(', '));
    expect(named).toEqual(CATEGORIES.map(({ code }) => code));
  });

  it('names terms of payouts that are taken, and by its own table pays when it says', () => {
    const terms = JSON.parse(blocks.find(({ what }) => what === 'terms')?.text ?? '{}');
    expect(termsSchema.partial().safeParse(terms).error).toBeUndefined();
    expect(guide).toContain('| Tuesday 2025-09-30 | `T+1` | 2025-10-09');
  });

  it.each(nodes)('works out right: $node', ({ line, fen }) => {
    const levels = { order: { lines: [{ to: 'commission', ...JSON.parse(line) }], remainder: 'seller' } };
    const shares = evaluateRule(compileRule(ruleSchema.parse({ levels })), { whole: 9005n, goods: 8505n });
    expect(shares).toContainEqual({ receiver: 'commission', amount: BigInt(fen) });
  });

  it('has all of them', () => {
    expect(blocks.map(({ what }) => what)).toEqual(['submission', 'payment', 'group', 'submission', 'terms', 'rule']);
    expect(nodes).toHaveLength(7);
  });
});
