import { type Deal, type Given, planOf, TEMPLATES } from '../../src/escrow/index.js';
import { type BusinessDate, type Id, type Instant, invariant } from '../../src/kernel/index.js';

/** A course of two lessons for 200.00, of the template of supervised prepayments: what the examples of the kinds of deals speak of. */
export function exampleDeal(of: {
  readonly id: Id;
  readonly platformId: Id;
  readonly school: Id;
  /** The electronic account that pays; null: anybody from outside. */
  readonly student: Id | null;
  readonly openedMs: Instant;
  readonly given?: readonly Pick<Given, 'item' | 'role'>[];
}): Deal {
  const template = TEMPLATES.get('supervised-prepayment');
  invariant(template, 'the template of supervised prepayments is there');
  const terms = {
    parties: [
      { role: 'student', account: of.student, user: null },
      { role: 'school', account: of.school, user: null },
    ],
    amounts: { price: 20_000n },
    dates: { 'pay-by': '2026-03-10' as BusinessDate, end: '2026-06-01' as BusinessDate },
    counts: { lessons: 2 },
  };
  const plan = planOf(template, terms, of.openedMs);
  invariant(!('code' in plan), 'the example of a deal is one');
  const { id, platformId, openedMs } = of;
  return {
    ...{ id, platformId, escrowNo: `E-${id.slice(-2)}`, plan, openedMs, turn: 0, dueMs: null, endedMs: null },
    stages: plan.stages.map(({ key }) => ({ key, funded: 0n, fundedMs: null, end: null })),
    given: (of.given ?? []).map((each) => ({ ...each, atMs: openedMs })),
    decided: [],
  };
}
