import { type FundConfirmation, isDone } from '../channels/index.js';
import type { Desk } from '../dispatch/index.js';
import type { Id } from '../kernel/index.js';
import { inPages } from '../runtime/index.js';
import type { Finding, FundCases } from './cases.js';
import type { Taking } from './days.js';
import { decided } from './decided.js';
import { confirmationGiven, failureGiven } from './instruct.js';
import { isAbout, isKnown, orderNoOf, parseOrderNo, type SentOrder, turnOf } from './rules.js';
import { sentOrders, unansweredOrders } from './store.js';

const PAGE = 1_000;

/**
 * Takes what became of orders, record by record. One of an order that nobody gave, or that does not fit it, is a case, and the rest is taken; so is each
 * order of which nothing is said.
 */
export async function takeConfirmations(desk: Desk, taking: Taking, cases: FundCases): Promise<void> {
  const { company, date, tradeDate, files } = taking;
  await desk.channels.funds.read({ company, kind: 'confirmations', date, digest: files.confirmations.digest }, (some) =>
    takePage(desk, taking, some, cases),
  );
  const missing: Finding[] = [];
  const read = (after: Id) =>
    desk.rt.db.read('unanswered-fund-orders', (tx) => unansweredOrders(tx, { company, until: tradeDate }, after, PAGE));
  for await (const some of inPages(PAGE, ({ order }) => order.id, read))
    missing.push(...some.map((sent) => findingOf(sent, 'only-ours', null)));
  await cases.open(missing);
}

async function takePage(
  desk: Desk,
  { company, date }: Taking,
  some: readonly FundConfirmation[],
  cases: FundCases,
): Promise<void> {
  const named = some.flatMap(({ orderNo }) => parseOrderNo(orderNo) ?? []);
  const found = await desk.rt.db.read('fund-orders-of-file', (tx) => sentOrders(tx, company, named));
  const byNo = new Map(found.map((sent) => [orderNoOf(sent.order.id, sent.attempt), sent]));
  const findings: Finding[] = [];
  const given: { readonly sent: SentOrder; readonly said: FundConfirmation }[] = [];
  for (const said of some) {
    const sent = byNo.get(said.orderNo);
    if (sent === undefined) findings.push(strangerOf(said));
    else if (!isAbout(sent, said, date)) findings.push(findingOf(sent, 'amount-differs', said));
    else if (sent.attempt === sent.order.attempts) given.push({ sent, said });
    // That an earlier sending was refused is known, or it would not have been sent again: what the company does is the last one.
    else if (isDone(said)) findings.push(findingOf(sent, 'amount-differs', said, 'an earlier sending'));
  }
  const outcomes = await decided(
    desk,
    given.map(({ sent, said }) => {
      const order = { ...sent.order, attempts: sent.attempt };
      return isDone(said) ? confirmationGiven(order, said, turnOf(date)) : failureGiven(order, said.reason, turnOf(date));
    }),
  );
  const agreed: string[] = [];
  given.forEach(({ sent, said }, at) => {
    const code = outcomes[at]?.code;
    if (code === 'posted') agreed.push(said.orderNo);
    // What was said before is said once more: the order has it already.
    else if (code !== 'FUND_ORDER_STATE' || !isKnown(sent, said)) findings.push(findingOf(sent, 'amount-differs', said, code));
  });
  await cases.agree(agreed);
  await cases.open(findings.filter(({ reference }) => !agreed.includes(reference)));
}

function strangerOf({ orderNo, amount }: FundConfirmation): Finding {
  return { platformId: null, class: 'only-theirs', reference: orderNo, ourAmount: null, theirAmount: amount };
}

/** @param code why the books do not take it */
function findingOf({ order, attempt }: SentOrder, kind: Finding['class'], said: FundConfirmation | null, code?: string): Finding {
  const states = said === null ? null : { ours: order.state, theirs: (code ?? 'another order').slice(0, STATE_MAX) };
  const sum = order.direction === 'subscription' ? order.amount : order.units;
  return {
    ...{ platformId: order.platformId, class: kind, reference: orderNoOf(order.id, attempt) },
    ...{ ourAmount: sum, theirAmount: said?.amount ?? null, states },
  };
}

const STATE_MAX = 64;
