import { isDeepStrictEqual } from 'node:util';
import { explainRoutes } from '../../../src/explain/index.js';
import { asId } from '../../../src/kernel/index.js';
import { ask } from '../asking.js';
import { type ExplainedHold, type Explanation, explanationOf } from '../model/explain.js';
import type { Model } from '../model/model.js';
import type { ModelWatches } from '../model/watches.js';
import type { World } from '../world/world.js';

/**
 * Why the money of an account may move or not, part by part:
 *
 *   explain anna: 60.00 available 40.00 withdrawable 30.00 as uncleared 30.00; 30.00 clears 2026-03-03;
 *     hold H1 20.00 by platform for 保证 until 2026-03-09 00:00; review W1 …; dispute D1 5.00 of 9.00 …; court 5.00 by authority;
 *     out W2 created 9.00; in T1 sent 5.00; next 2026-03-03 40.00 leaving 10.00; reserve 10.00; low below 50.00 since 2026-03-02 09:00
 *   explain anna to staff: …          the same, with what authorities write
 */
export interface ExplainBank {
  explain(account: string, documents: boolean): Promise<Explanation>;
}

interface Stage {
  readonly bank: { readonly explains: ExplainBank; look(): Promise<{ orders: ReadonlyMap<string, { account: string }> }> };
  readonly platform: { readonly id: string };
  account(name: string): string;
  /** The name under which a scenario knows a hold, an instruction, a freeze or a payout. */
  nameOf(id: string): string;
}

export const EXPLAIN_STEPS: readonly (readonly [RegExp, (stage: Stage, parts: string[]) => Promise<void>])[] = [
  [
    /^explain (\S+?)( to staff)?: (.+)$/,
    async (stage, [name = '', staff, expected]) => {
      const { orders } = await stage.bank.look();
      const order = orders.get(`${stage.platform.id}/${name.replace(/^order:/, '')}`);
      const account = name.startsWith('order:') && order !== undefined ? order.account : stage.account(name);
      const told = shown(await stage.bank.explains.explain(account, staff !== undefined), (id) => stage.nameOf(id));
      if (told !== expected) throw new Error(`${name} is explained otherwise: expected\n  ${expected}\ngot\n  ${told}`);
    },
  ],
];

const yuan = (fen: number) => (fen / 100).toFixed(2);
const moment = (time: string) => time.slice(0, 16).replace('T', ' ');

function shown(of: Explanation, nameOf: (id: string) => string): string {
  const { because, amount } = of.notWithdrawable;
  const because_ = because === 'nothing' ? '' : ` as ${because} ${yuan(amount)}`;
  const { nextClearing: next, reserve, alert } = of;
  return [
    `${yuan(of.balance)} available ${yuan(of.available)} withdrawable ${yuan(of.withdrawable)}${because_}`,
    ...of.unclearedLines.map((line) => `${yuan(line.amount)} clears ${line.withdrawableFrom}`),
    ...of.heldLines.map((line) => shownHold(line, nameOf)),
    ...of.underWayLines.map(
      ({ direction, payout, state, amount: part }) => `${direction} ${nameOf(payout ?? '')} ${state} ${yuan(part)}`,
    ),
    ...of.notCreditedLines.map((line) => `not credited ${yuan(line.amount)} paid over ${line.paidOverOn}`),
    ...(next === null
      ? []
      : [
          `next ${next.date} ${yuan(next.amount)}${next.fee > 0 ? ` fee ${yuan(next.fee)}` : ''}${next.keptBack > 0 ? ` leaving ${yuan(next.keptBack)}` : ''}`,
        ]),
    ...(reserve === null || reserve.inForce === 0 ? [] : [`reserve ${yuan(reserve.inForce)}`]),
    ...(alert.since === null ? [] : [`low below ${yuan(alert.below)} since ${moment(alert.since)}`]),
  ].join('; ');
}

function shownHold({ kind, id, by, purpose, amount, of, until }: ExplainedHold, nameOf: (id: string) => string): string {
  const whole = of === null ? (id === null ? '' : ' of all') : of === amount ? '' : ` of ${yuan(of)}`;
  return [
    `${kind}${id === null ? '' : ` ${nameOf(id)}`} ${yuan(amount)}${whole} by ${by}`,
    ...(purpose === null ? [] : [`for ${purpose}`]),
    ...(until === null ? [] : [`until ${moment(until)}`]),
  ].join(' ');
}

/** The plain bank's side of it. */
export function modelExplains(model: Model, watches: ModelWatches): ExplainBank {
  return { explain: async (account, documents) => explanationOf(model, watches, account, documents) };
}

/** The real service's side, with the model beside it. */
export function serviceExplains({ rt }: World, model: Model, watches: ModelWatches): ExplainBank {
  const routes = explainRoutes(rt);
  return {
    async explain(account, documents) {
      const platformId = asId(model.accounts.get(account)?.platform ?? '');
      const params = { account: asId(account) };
      const staff = { permissions: new Set(['accounts.read', 'customers.read'] as const) };
      const answer = documents
        ? await ask(routes, 'GET /admin/v1/accounts/{account}/explain', { caller: staff, params })
        : await ask(routes, 'GET /v1/accounts/{account}/explain', { caller: { platformId }, params });
      const said = withoutMarks(withBareIds(answer));
      const predicted = explanationOf(model, watches, account, documents);
      if (!isDeepStrictEqual(said, predicted))
        throw new Error(
          `${account} is explained otherwise:\n  model ${JSON.stringify(predicted)}\n  books ${JSON.stringify(said)}`,
        );
      return said;
    },
  };
}

/** The plain bank's calendar on the wall has every year. */
function withoutMarks(of: Explanation): Explanation {
  const { provisional: _, ...next } = { provisional: undefined, ...of.nextClearing };
  return {
    ...of,
    unclearedLines: of.unclearedLines.map(({ amount, withdrawableFrom }) => ({ amount, withdrawableFrom })),
    nextClearing: of.nextClearing && (next as Explanation['nextClearing']),
  };
}

/** Ids as the model has them, and of an authority's document only that it is told. */
function withBareIds(answer: unknown): Explanation {
  const told = JSON.stringify(answer, (key, value) => {
    if (key === 'documentNo' && typeof value === 'string' && value !== '') return 'told';
    return ['account', 'id', 'payout'].includes(key) && typeof value === 'string' ? value.replace(/^[a-z]{3}_/, '') : value;
  });
  return JSON.parse(told) as Explanation;
}
