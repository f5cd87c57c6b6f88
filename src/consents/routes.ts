import { z } from 'zod';
import { type Id, type Instant, invariant, Refused, refuse, toRfc3339, toWire } from '../kernel/index.js';
import { requireUser, userStanding } from '../parties/index.js';
import { type Route, type Runtime, rfc3339Schema, route, wireId } from '../runtime/index.js';
import type { AnswerHandlers } from './answer.js';
import { askConsent, newLink } from './ask.js';
import { findCredential } from './credentials/store.js';
import { hostedRoutes } from './page/routes.js';
import { CONSENT_STATES, type Factors } from './records.js';
import { answeredBefore, type Shown, SUBJECTS } from './rules.js';
import { findConsent, findPendingPassword, replaceToken, type StoredConsent } from './store.js';

const TAG = 'Consents';

const consentSchema = z
  .strictObject({
    consent: z.string(),
    subject: z.enum(SUBJECTS).meta({ description: 'What the customer is asked about' }),
    instruction: z.string().optional().meta({ description: 'The instruction that it was asked for' }),
    mandate: z.string().optional().meta({ description: 'The mandate that it was asked for' }),
    state: z.enum(CONSENT_STATES),
    expiresAt: rfc3339Schema,
    answeredAt: rfc3339Schema.nullable(),
  })
  .meta({ id: 'Consent' });

const linkSchema = z
  .strictObject({
    consent: z.string(),
    url: z.string().meta({
      description: "The page to which the customer's browser is sent. It is told this once; ask for another when it is lost",
      example: 'https://bank.example/consents/Zm9y…',
    }),
    expiresAt: rfc3339Schema,
  })
  .meta({ id: 'ConsentLink' });

function showConsent(consent: StoredConsent, nowMs: Instant): z.input<typeof consentSchema> {
  const { id, subject, subjectId, state, expiresMs, answeredMs } = consent;
  return {
    consent: toWire('consent', id),
    subject,
    ...(subject === 'instruction' || subject === 'mandate' ? { [subject]: toWire(subject, subjectId) } : {}),
    // Late is late, also before somebody has written it down.
    state: state === 'pending' && nowMs >= expiresMs ? 'expired' : state,
    expiresAt: toRfc3339(expiresMs),
    answeredAt: answeredMs === null ? null : toRfc3339(answeredMs),
  };
}

/** What platforms ask and read of consents, and the pages on which customers answer. */
export function consentRoutes(rt: Runtime, { handlers }: { readonly handlers: AnswerHandlers }): Route[] {
  return [readRoute(rt), linkRoute(rt), passwordRoute(rt), ...hostedRoutes({ rt, handlers })];
}

const Params = z.strictObject({ consent: wireId('consent') });

function readRoute({ db, clock }: Runtime): Route {
  return route({
    method: 'GET',
    path: '/v1/consents/{consent}',
    audience: 'platform',
    tag: TAG,
    summary: 'A consent: what it is about and whether it is answered',
    summaryZh: '查询客户确认',
    params: Params,
    answers: { 200: { description: 'The consent', schema: consentSchema } },
    async handle({ caller, params }) {
      const consent = await db.read('read-consent', (tx) => findConsent(tx, params.consent));
      if (consent?.platformId !== caller.platformId) throw new Refused(refuse('NOT_FOUND'));
      return { status: 200, body: showConsent(consent, clock.now()) };
    },
  });
}

function linkRoute(rt: Runtime): Route {
  return route({
    method: 'POST',
    path: '/v1/consents/{consent}/link',
    audience: 'platform',
    tag: TAG,
    summary: 'Another address for the page of a consent that is not answered yet; the one before no longer works',
    summaryZh: '重新获取确认页面链接',
    params: Params,
    answers: { 200: { description: 'The address', schema: linkSchema } },
    refusals: ['CONSENT_ANSWERED', 'CONSENT_EXPIRED', 'CONSENT_LOCKED'],
    async handle({ caller, params }) {
      const body = await rt.db.withTx(
        'consent-link',
        async (tx) => {
          const consent = await findConsent(tx, params.consent);
          if (consent?.platformId !== caller.platformId) throw new Refused(refuse('NOT_FOUND'));
          const over = answeredBefore(consent, rt.clock.now());
          if (over !== undefined) throw new Refused(refuse(over));
          const { url, tokenHash } = newLink(rt);
          if (!(await replaceToken(tx, consent.id, tokenHash))) throw new Refused(refuse('CONSENT_ANSWERED'));
          return link(consent.id, url, consent.expiresMs);
        },
        async () => undefined, // another address again, and nobody knows the first
      );
      return { status: 200, body };
    },
  });
}

function link(consent: Id, url: string, expiresMs: Instant): z.input<typeof linkSchema> {
  return { consent: toWire('consent', consent), url, expiresAt: toRfc3339(expiresMs) };
}

const PASSWORD_LIFE_MS = 30 * 60_000;

function passwordRoute(rt: Runtime): Route {
  return route({
    method: 'POST',
    path: '/v1/users/{user}/password-link',
    audience: 'platform',
    tag: TAG,
    summary: 'A page on which a user sets his trade password, or changes it',
    summaryZh: '获取交易密码设置页面链接',
    description:
      'To set a password takes the code of an SMS to the verified mobile; to change it also the present one. A platform never sees it. ' +
      'Asked again while the last question is open, it answers another address of the same question.',
    params: z.strictObject({ user: wireId('user') }),
    answers: { 201: { description: 'The address, good for half an hour', schema: linkSchema } },
    refusals: ['IDENTITY_UNVERIFIED'],
    async handle({ caller: { platformId }, params }) {
      const known = await rt.db.read('user', (tx) => requireUser(tx, platformId, params.user, rt.vault));
      const standing = userStanding(known.user);
      if (standing !== undefined && standing.code !== 'CUSTOMER_NOT_ACTIVATED') throw new Refused(standing);
      const customerId = known.customer?.id;
      invariant(customerId, `the verified user ${params.user} has a customer`);
      const body = await rt.db.withTx(
        'password-link',
        async (tx) => {
          const nowMs = rt.clock.now();
          const needs: Factors = (await findCredential(tx, customerId))?.passwordHash ? 'both' : 'sms';
          const pending = await findPendingPassword(tx, { platformId, customerId, needs, nowMs });
          if (pending !== undefined) {
            const { url, tokenHash } = newLink(rt);
            if (await replaceToken(tx, pending.id, tokenHash)) return link(pending.id, url, pending.expiresMs);
          }
          const expiresMs = (nowMs + PASSWORD_LIFE_MS) as Instant;
          const shown = shownPassword(needs);
          const asked = { subject: 'password', subjectId: rt.newId(), platformId, customerId, needs, shown, expiresMs } as const;
          const { consent, url } = await askConsent(tx, rt, asked);
          return link(consent, url, expiresMs);
        },
        async () => undefined, // another address, and nobody knows the first
      );
      return { status: 201, body };
    },
  });
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
