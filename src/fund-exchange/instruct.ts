import type { FundConfirmation } from '../channels/index.js';
import { tidyReason } from '../dispatch/index.js';
import type { FundOrder, Holding } from '../funds/index.js';
import { type Submission, systemInstruction } from '../instructions/index.js';
import { type BusinessDate, type Id, type Minor, toWire, toWireMoney } from '../kernel/index.js';

/**
 * The instructions that a fund company's word makes. Their numbers are made of what they are about and of the file's date (`turn`), so that one word
 * acts once, and what was refused today does not stand in the way of what is said tomorrow.
 */
function given(platformId: Id, kind: string, no: string, data: object): Submission {
  return systemInstruction({ platformId, requestNo: `${kind}:${no}`, kind, data, actor: 'fund-company' });
}

type Sent = Pick<FundOrder, 'id' | 'platformId' | 'attempts'>;

/** The longest figure that an instruction has room for. What a file says beyond it differs from ours as surely as this one. */
const MOST = 999_999_999_999_999n;
const sayable = (figure: bigint): bigint => (figure < MOST ? figure : MOST);

const NO_REASON = '基金公司未说明原因';

/** The company has carried out an order: at which value, for how many units and how much money, dated on its own day. */
export function confirmationGiven(
  { id, platformId, attempts }: Sent,
  said: Pick<FundConfirmation, 'confirmDate' | 'nav' | 'units' | 'amount'>,
  turn: number,
): Submission {
  return given(platformId, 'fund-confirmation', `${id}:${attempts}:${turn}`, {
    ...{ order: toWire('fund-order', id), date: said.confirmDate, nav: String(said.nav) },
    ...{ units: String(sayable(said.units)), amount: toWireMoney(sayable(said.amount)) },
  });
}

/** The company has not carried out an order, and never will under this number. @param reason in its own words, as they came */
export function failureGiven({ id, platformId, attempts }: Sent, reason: string, turn: number): Submission {
  const data = { order: toWire('fund-order', id), reason: tidyReason(reason, NO_REASON) };
  return given(platformId, 'fund-failure', `${id}:${attempts}:${turn}`, data);
}

/**
 * The income of one holding for the next day that the company has told of it.
 * @param told what the company's own file has for it: another sum than ours is refused; undefined: what its rate makes of our units
 */
export function incomeGiven(
  { platformId, accountId, fund }: Pick<Holding, 'platformId' | 'accountId' | 'fund'>,
  date: BusinessDate,
  told: bigint | undefined,
  turn: number,
): Submission {
  return given(platformId, 'fund-income', `${accountId}:${fund}:${date}:${turn}`, {
    ...{ account: toWire('account', accountId), fund, date },
    ...(told === undefined ? {} : { units: String(sayable(told)) }),
  });
}

/** The company's money for a redemption has come in to the custody account, under this reference. */
export function proceedsGiven(
  { id, platformId, fund }: Pick<FundOrder, 'id' | 'platformId' | 'fund'>,
  { reference, amount }: { readonly reference: string; readonly amount: Minor },
  turn: number,
): Submission {
  const data = { fund, reference, amount: toWireMoney(amount), orders: [toWire('fund-order', id)] };
  return given(platformId, 'fund-proceeds', `${reference}:${turn}`, data);
}

/** What came in for one redemption goes to whom it is for. */
export function proceedsPaid({ id, platformId }: Pick<FundOrder, 'id' | 'platformId'>, turn: number): Submission {
  return given(platformId, 'fund-proceeds-paid', `${id}:${turn}`, { order: toWire('fund-order', id) });
}

/** The money of purchases goes to the custody account of their fund; all of one platform and one fund, at most `SETTLED_AT_ONCE`. */
export function settlementGiven(orders: readonly [FundOrder, ...FundOrder[]], turn: number): Submission {
  const [{ id, platformId, fund, changedMs }] = orders;
  const data = { fund, orders: orders.map((order) => toWire('fund-order', order.id)) };
  // What has changed since, as a payment that failed, makes another instruction of it.
  return given(platformId, 'fund-settlement', `${id}:${changedMs}:${turn}`, data);
}
