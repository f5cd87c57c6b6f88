import { z } from 'zod';
import { type Id, type Instant, invariant, maskIdNo, maskName, Refused, refuse } from '../kernel/index.js';
import { type KnownUser, requireUser, userStanding } from '../parties/index.js';
import { readPlatform } from '../platforms/index.js';
import { type Asked, askedSchema, type Route, type Runtime, route, showAsked, type Tx, wireId } from '../runtime/index.js';
import { askConsent, newLink, type Question } from './ask.js';
import { findCredential } from './credentials/store.js';
import type { Factors } from './records.js';
import type { Shown } from './rules.js';
import { findPending, replaceToken } from './store.js';

export const linkSchema = z.strictObject({ consent: askedSchema }).meta({ id: 'ConsentLink' });

/** Pages that a platform has its users open: for their trade password, and to activate who was taken over from elsewhere. */
export function userLinkRoutes(rt: Runtime): Route[] {
  return [passwordRoute(rt), activationRoute(rt)];
}

const LINK_LIFE_MS = 30 * 60_000;
const Params = z.strictObject({ user: wireId('user') });
const ANSWERS = { 201: { description: 'The address, good for half an hour', schema: linkSchema } };
const AGAIN = 'Asked again while the last question is open, it answers another address of the same question.';

type Draft = Pick<Question, 'subject' | 'platformId' | 'customerId' | 'userId' | 'needs' | 'shown'>;

/** The open question of that sort under a new address, or a new question. */
async function linkTo(tx: Tx, rt: Runtime, draft: Draft): Promise<Asked> {
  const nowMs = rt.clock.now();
  const pending = await findPending(tx, { ...draft, userId: draft.userId ?? null }, nowMs);
  if (pending !== undefined) {
    const { url, tokenHash } = newLink(rt);
    if (await replaceToken(tx, pending.id, tokenHash)) return { consent: pending.id, url, expiresMs: pending.expiresMs };
  }
  const expiresMs = (nowMs + LINK_LIFE_MS) as Instant;
  return askConsent(tx, rt, { ...draft, subjectId: rt.newId(), expiresMs });
}

function passwordRoute(rt: Runtime): Route {
  return route({
    method: 'POST',
    path: '/v1/users/{user}/password-link',
    audience: 'platform',
    tag: 'Consents',
    summary: 'A page on which a user sets his trade password, or changes it',
    summaryZh: '获取交易密码设置页面链接',
    description: `To set a password takes the code of an SMS to the verified mobile; to change it also the present one. A platform never sees it. ${AGAIN}`,
    params: Params,
    answers: ANSWERS,
    refusals: ['IDENTITY_UNVERIFIED'],
    async handle({ caller: { platformId }, params }) {
      const asked = await rt.db.withTx(
        'password-link',
        async (tx) => {
          const known = await requireUser(tx, platformId, params.user, rt.vault);
          const standing = userStanding(known.user);
          if (standing !== undefined && standing.code !== 'CUSTOMER_NOT_ACTIVATED') throw new Refused(standing);
          const customerId = customerIdOf(known);
          const needs: Factors = (await findCredential(tx, customerId))?.passwordHash ? 'both' : 'sms';
          return linkTo(tx, rt, { subject: 'password', platformId, customerId, needs, shown: shownPassword(needs) });
        },
        async () => undefined, // another address, and nobody knows the first
      );
      return { status: 201, body: { consent: showAsked(asked) } };
    },
  });
}

function customerIdOf({ user, customer }: KnownUser): Id {
  invariant(customer, `the verified user ${user.id} has a customer`);
  return customer.id;
}

function shownPassword(needs: Factors): Shown {
  const isNew = needs === 'sms';
  return {
    title: isNew
      ? { en: 'Set your trade password', zh: '设置交易密码' }
      : { en: 'Change your trade password', zh: '修改交易密码' },
    lines: [
      {
        label: { en: 'What it is for', zh: '用途' },
        value: { en: 'Payments, withdrawals and authorisations', zh: '付款、提现和授权时确认本人意愿' },
      },
    ],
    brief: isNew
      ? { en: 'set your trade password', zh: '设置交易密码' }
      : { en: 'change your trade password', zh: '修改交易密码' },
  };
}

function activationRoute(rt: Runtime): Route {
  return route({
    method: 'POST',
    path: '/v1/users/{user}/activation-link',
    audience: 'platform',
    tag: 'Consents',
    summary: 'A page on which a user who was taken over from elsewhere activates himself',
    summaryZh: '获取存量用户激活页面链接',
    description: `It takes the code of an SMS to the verified mobile, and is for this one number. Once he said no, that stands. ${AGAIN}`,
    params: Params,
    answers: ANSWERS,
    refusals: ['IDENTITY_UNVERIFIED', 'CONSENT_ANSWERED', 'CONSENT_DECLINED'],
    async handle({ caller: { platformId }, params }) {
      const asked = await rt.db.withTx(
        'activation-link',
        async (tx) => {
          const known = await requireUser(tx, platformId, params.user, rt.vault);
          const standing = userStanding(known.user);
          if (standing === undefined) throw new Refused(refuse('CONSENT_ANSWERED', 'The user is active.'));
          if (standing.code !== 'CUSTOMER_NOT_ACTIVATED') throw new Refused(standing);
          const shown = shownActivation(known, (await readPlatform(tx, platformId))?.name ?? '');
          const draft = { subject: 'activation', platformId, customerId: customerIdOf(known), userId: known.user.id } as const;
          return linkTo(tx, rt, { ...draft, needs: 'sms', shown });
        },
        async () => undefined, // another address, and nobody knows the first
      );
      return { status: 201, body: { consent: showAsked(asked) } };
    },
  });
}

function shownActivation({ user, customer }: KnownUser, platform: string): Shown {
  return {
    title: { en: 'Activate your registration', zh: '激活您的存管用户' },
    lines: [
      { label: { en: 'Platform', zh: '平台' }, value: platform },
      { label: { en: 'Your number there', zh: '平台用户编号' }, value: user.userNo },
      { label: { en: 'Name', zh: '姓名' }, value: maskName(customer?.name ?? '') },
      { label: { en: 'Identity document', zh: '证件号码' }, value: maskIdNo(customer?.idNo ?? '') },
    ],
    brief: { en: `activate your registration with ${platform}`, zh: `激活您在${platform}的存管用户` },
  };
}
