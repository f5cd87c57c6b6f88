import { z } from 'zod';
import { type Id, Refused, refuse, toWire } from '../../kernel/index.js';
import { preferredWaitMs, type Route, type Runtime, route, waitFor, wireId } from '../../runtime/index.js';
import { cardChangeRequest, changeSchema, mobileChangeRequest, reverificationRequest, showChange } from '../electronic-wire.js';
import { type AskCustomer, type AskedChange, askChange } from './ask.js';
import { type AccountChange, findChange } from './store.js';

const platform = { audience: 'platform', tag: 'Electronic accounts' } as const;
const params = z.strictObject({ account: wireId('account') });
const WAIT_DEFAULT_MS = 2000;
const STANDING = ['ACCOUNT_CLOSED', 'ACCOUNT_CLOSING', 'ACCOUNT_BLOCKED', 'CUSTOMER_STOPPED', 'ID_DOCUMENT_EXPIRED'] as const;
const NUMBERS = ['CHANGE_NO_REUSED', 'CHANGE_UNDER_WAY'] as const;
const CARD = ['MOBILE_DIFFERS', 'CARD_NUMBER_INVALID', 'CARD_TAKEN'] as const;
const answers = {
  200: { description: 'Decided, or asked for before', schema: changeSchema },
  202: { description: 'The customer is asked, or it is being verified; see Location', schema: changeSchema },
};

/** What platforms may ask to change about an electronic account. @param ask puts the question to the customer */
export function accountChangeRoutes(rt: Runtime, ask: AskCustomer): Route[] {
  return [cardRoute(rt, ask), mobileRoute(rt, ask), reverificationRoute(rt, ask), changeRoute(rt)];
}

function cardRoute(rt: Runtime, ask: AskCustomer): Route {
  return route({
    ...platform,
    method: 'POST',
    path: '/v1/electronic-accounts/{account}/card-changes',
    summary: 'Asks the customer whether another card shall be bound, and verifies its elements with its bank',
    summaryZh: '变更绑定卡',
    description:
      'The address of his page is in the first answer only. Until it is done, and for payouts made before, the old card holds.',
    params,
    body: cardChangeRequest,
    answers,
    refusals: [...NUMBERS, ...STANDING, 'ACCOUNT_DORMANT', ...CARD],
    handle: ({ caller, params: { account }, body: { changeNo, card } }) =>
      take(rt, ask, caller.platformId, { kind: 'card', account, changeNo, card }),
  });
}

function mobileRoute(rt: Runtime, ask: AskCustomer): Route {
  return route({
    ...platform,
    method: 'POST',
    path: '/v1/electronic-accounts/{account}/mobile-changes',
    summary: "Asks the customer whether his mobile number shall change, and verifies the new one with the bound card's bank",
    summaryZh: '变更手机号',
    description: 'His code comes to the number that he has now. Where that is gone, he turns to the bank.',
    params,
    body: mobileChangeRequest,
    answers,
    refusals: [...NUMBERS, ...STANDING, 'ACCOUNT_DORMANT'],
    handle: ({ caller, params: { account }, body: { changeNo, mobile } }) =>
      take(rt, ask, caller.platformId, { kind: 'mobile', account, changeNo, mobile }),
  });
}

function reverificationRoute(rt: Runtime, ask: AskCustomer): Route {
  return route({
    ...platform,
    method: 'POST',
    path: '/v1/electronic-accounts/{account}/reverification',
    summary: "Checks the owner's identity again: an account that was not used for six months may be used then",
    summaryZh: '重新核实身份',
    params,
    body: reverificationRequest,
    answers,
    refusals: [...NUMBERS, ...STANDING, 'IDENTITY_NAME_DIFFERS', 'IDENTITY_UNKNOWN'],
    handle: async ({ caller, params: { account }, body: { changeNo }, headers }) =>
      take(rt, ask, caller.platformId, { kind: 'identity', account, changeNo }, headers.prefer),
  });
}

/** A new check of the identity waits for its end as other requests do; what waits for the customer is answered at once. */
async function take(rt: Runtime, ask: AskCustomer, platformId: Id, asked: AskedChange, prefer?: string) {
  const { change, repeated } = await askChange(rt, ask, platformId, asked);
  const waits = change.state === 'pending';
  const now = waits ? ((await decidedChange(rt, change, preferredWaitMs(prefer, WAIT_DEFAULT_MS))) ?? change) : change;
  const id = toWire('change', change.id);
  if (now.refusal !== null) throw new Refused({ ...now.refusal, fields: { ...now.refusal.fields, change: id } });
  return {
    status: now.state === 'done' ? 200 : 202,
    body: showChange(rt.vault, now),
    headers: {
      Location: `/v1/electronic-accounts/changes/${id}`,
      'Idempotent-Replay': String(repeated),
    },
  };
}

function decidedChange(rt: Runtime, { id }: AccountChange, waitMs: number): Promise<AccountChange | undefined> {
  return waitFor(rt.clock, waitMs, async () => {
    const now = await rt.db.read('change', (tx) => findChange(tx, id));
    return now?.state === 'pending' ? undefined : now;
  });
}

function changeRoute(rt: Runtime): Route {
  return route({
    ...platform,
    method: 'GET',
    path: '/v1/electronic-accounts/changes/{change}',
    summary: 'What became of a change',
    summaryZh: '查询变更结果',
    params: z.strictObject({ change: wireId('change') }),
    answers: { 200: { description: 'The change as it stands', schema: changeSchema } },
    handle: async ({ caller, params: { change: id } }) => {
      const change = await rt.db.read('change', (tx) => findChange(tx, id, caller.platformId));
      if (change === undefined) throw new Refused(refuse('NOT_FOUND'));
      return { status: 200, body: showChange(rt.vault, change) };
    },
  });
}
