import { z } from 'zod';
import { type Instant, maskMobile, naturalDate, type Refusal, Refused, refuse } from '../../kernel/index.js';
import { customerOf } from '../../parties/index.js';
import { checkShape, hashToken, type Route, route, type Tx } from '../../runtime/index.js';
import { type AnswerDesk, approve, decline, type Proof, type Whence } from '../answer.js';
import { digestOfShown } from '../ask.js';
import { codeLimits, isCodeAlive, isCodeLocked, sendCode } from '../codes.js';
import { findCredential } from '../credentials/store.js';
import { findMandate } from '../mandates/store.js';
import { answeredBefore, type Language, type Shown, TRIES_MAX } from '../rules.js';
import { codeMessagesFull } from '../sms/store.js';
import type { Ending } from '../states.js';
import { findConsentByToken, type StoredConsent } from '../store.js';
import { type ConsentView, consentPage } from './consent-page.js';
import { FORM_BYTES, FormQuery, fieldsOf, hosted, Query, redirect } from './hosted.js';
import { languageOf } from './layout.js';
import { isNotice, type Notice, noticeIn } from './words.js';

const digits = z.string().max(32);
const Form = z.strictObject({
  answer: z.enum(['approve', 'decline']),
  password: digits.optional(),
  code: digits.optional(),
  newPassword: digits.optional(),
  repeatPassword: digits.optional(),
});

type PageDesk = AnswerDesk & { readonly rt: Parameters<typeof sendCode>[0] };

/**
 * The pages that the bank hosts for a customer's answer. Whoever has the address sees the question; only the factors answer it. Each
 * form is answered with a redirect, so that a reload repeats nothing.
 */
export function consentPageRoutes(desk: PageDesk): Route[] {
  return [showRoute(desk), answerRoute(desk), codeRoute(desk)];
}

/** An unknown, mistyped or replaced address is one and the same: its hash is looked up, and nothing is there. */
async function requireConsent({ rt }: PageDesk, token: string): Promise<StoredConsent> {
  const consent = await rt.db.read('consent-by-token', (tx) => findConsentByToken(tx, hashToken(token)));
  if (consent === undefined) throw new Refused(refuse('NOT_FOUND'));
  return consent;
}

function showRoute(desk: PageDesk): Route {
  return route({
    ...hosted,
    method: 'GET',
    path: '/consents/{token}',
    summary: 'The page on which a customer sees what he is asked, and what he answered (HTML)',
    summaryZh: '客户确认页面',
    query: Query,
    answers: { 200: { description: 'The page' } },
    async handle({ params, query, headers }) {
      const consent = await requireConsent(desk, params.token);
      const language = languageOf(query.lang, headers['accept-language']);
      const notice = noticeIn(query.notice);
      return { status: 200, html: consentPage(await viewOf(desk, consent, { token: params.token, language, notice })) };
    },
  });
}

async function viewOf(
  { rt }: PageDesk,
  consent: StoredConsent,
  given: { token: string; language: Language; notice: Notice | undefined },
): Promise<ConsentView> {
  const { needs, subject, attempts, codesSent, customerId, answeredMs } = consent;
  const shown = JSON.parse(rt.vault.open(consent.shownSealed)) as Shown;
  const ending = endingOf(consent, rt.clock.now());
  if (ending !== undefined) {
    // After the first answer there is one thing left to say: that this was not the first.
    const answered = ending === 'given' || ending === 'declined';
    const notice = answered && given.notice === 'CONSENT_ANSWERED' ? given.notice : undefined;
    return { ...given, notice, subject, shown, ended: { ending, answeredMs } };
  }
  const nowMs = rt.clock.now();
  const { customer, notice } = await rt.db.read('asked-customer', async (tx) => {
    const known = await customerOf(tx, customerId, rt.vault);
    const mobileIndex = known?.mobile == null ? undefined : rt.vault.index('mobile', known.mobile);
    const standing = await standingOf(tx, consent, nowMs);
    const said = given.notice;
    const isSo = said !== undefined && (await isTrue(tx, rt, said, { consent, shown, mobileIndex, nowMs }));
    return { customer: known, notice: standing ?? (isSo ? said : undefined) };
  });
  const maskedMobile = customer?.mobile == null ? undefined : maskMobile(customer.mobile);
  const asks = { needs, attemptsLeft: TRIES_MAX - attempts, codesSent, maskedMobile };
  return { ...given, notice, subject, shown, asks };
}

interface Facts {
  readonly consent: StoredConsent;
  readonly shown: Shown;
  readonly mobileIndex: Buffer | undefined;
  readonly nowMs: Instant;
}

/** Anybody can write a notice into an address: it is shown only where what is known of an open question agrees. */
async function isTrue(tx: Tx, { vault }: PageDesk['rt'], notice: Notice, of: Facts): Promise<boolean> {
  const { consent, mobileIndex, nowMs } = of;
  const { needs, subject, subjectId, attempts, codesSent } = consent;
  switch (notice) {
    case 'SHAPE_INVALID':
      return true;
    case 'CODE_SENT':
      return isCodeAlive(consent, mobileIndex, nowMs);
    case 'CODE_EXPIRED':
      return needs !== 'password' && !isCodeAlive(consent, mobileIndex, nowMs);
    case 'FACTOR_WRONG':
      return attempts > 0;
    case 'PASSWORD_WEAK':
    case 'REPEAT_DIFFERS':
      return subject === 'password';
    case 'SMS_NOT_SENT':
      return needs !== 'password' && mobileIndex === undefined;
    case 'SMS_TOO_OFTEN':
      return codesSent > 0;
    case 'SMS_TOO_OFTEN_NOW':
    case 'SMS_TOO_OFTEN_TODAY':
      return mobileIndex !== undefined && (await isNumberFull(tx, mobileIndex, nowMs)) === notice;
    case 'MANDATE_ENDED':
      return subject === 'mandate' && (await findMandate(tx, subjectId))?.state === 'revoked';
    case 'CONSENT_MISMATCH':
      return subject === 'password' || !digestOfShown(vault, subject, subjectId, of.shown).equals(consent.digest);
    default:
      return false; // what he cannot say yes for is seen from the standing, and how it ended from the end
  }
}

async function isNumberFull(tx: Tx, mobileIndex: Buffer, nowMs: Instant): Promise<Notice | undefined> {
  const { messages } = await codeLimits(tx, naturalDate(nowMs));
  const full = await codeMessagesFull(tx, mobileIndex, { today: naturalDate(nowMs), nowMs }, messages);
  return full && ({ day: 'SMS_TOO_OFTEN_TODAY', window: 'SMS_TOO_OFTEN_NOW' } as const)[full];
}

/** Why he cannot say yes now, whatever he enters. */
async function standingOf(tx: Tx, { needs, customerId }: StoredConsent, nowMs: Instant): Promise<Notice | undefined> {
  const credential = needs === 'sms' ? undefined : await findCredential(tx, customerId);
  if ((credential?.lockedUntilMs ?? 0) > nowMs) return 'PASSWORD_LOCKED';
  if (needs !== 'sms' && !credential?.passwordHash) return 'FACTOR_MISSING';
  return needs !== 'password' && (await isCodeLocked(tx, customerId, naturalDate(nowMs))) ? 'CODE_LOCKED' : undefined;
}

/** How it ended for the customer, also when nobody has written down yet that it is too late. */
function endingOf(consent: StoredConsent, nowMs: Instant): Ending | undefined {
  const code = answeredBefore(consent, nowMs);
  if (code === undefined) return undefined;
  if (code === 'CONSENT_EXPIRED') return 'expired';
  if (code === 'CONSENT_LOCKED') return 'locked';
  return consent.state === 'declined' ? 'declined' : 'given';
}

function answerRoute(desk: PageDesk): Route {
  return route({
    ...hosted,
    method: 'POST',
    path: '/consents/{token}',
    summary: "The customer's answer (a form)",
    summaryZh: '客户提交确认结果',
    query: FormQuery,
    body: 'raw',
    rawBody: { schema: Form, mediaTypes: ['application/x-www-form-urlencoded'] },
    bodyLimit: FORM_BYTES,
    answers: { 303: { description: 'To the page, which says what came of it' } },
    refusals: [...hosted.refusals, 'BODY_TOO_LARGE', 'BODY_MALFORMED', 'MEDIA_TYPE_UNSUPPORTED'],
    async handle({ params, query, headers, text, remote }) {
      const consent = await requireConsent(desk, params.token);
      const form = checkShape(Form, fieldsOf(text));
      const language = languageOf(query.lang, headers['accept-language']);
      return redirect('', params.token, language, await answer(desk, consent, form, whenceOf(headers, remote)));
    },
  });
}

async function answer(
  desk: PageDesk,
  consent: StoredConsent,
  { answer: said, repeatPassword, ...proof }: z.output<typeof Form>,
  whence: Whence,
): Promise<Notice | undefined> {
  if (said === 'decline') return noticeOf(await decline(desk, consent, whence));
  if (proof.newPassword !== repeatPassword) return 'REPEAT_DIFFERS';
  return noticeOf(await approve(desk, consent, proof satisfies Proof, whence));
}

function noticeOf(refusal: Refusal | undefined): Notice | undefined {
  if (refusal === undefined) return undefined;
  if (refusal.code === 'SMS_TOO_OFTEN' && refusal.fields?.mobile !== undefined)
    return refusal.fields.mobile === 'day' ? 'SMS_TOO_OFTEN_TODAY' : 'SMS_TOO_OFTEN_NOW';
  if (!isNotice(refusal.code)) throw new Refused(refuse('NOT_FOUND'));
  return refusal.code;
}

function codeRoute(desk: PageDesk): Route {
  return route({
    ...hosted,
    method: 'POST',
    path: '/consents/{token}/code',
    summary: 'Sends a code to the customer’s mobile (a form without fields)',
    summaryZh: '发送短信验证码',
    query: FormQuery,
    answers: { 303: { description: 'To the page, which says what came of it' } },
    async handle({ params, query, headers }) {
      const consent = await requireConsent(desk, params.token);
      const language = languageOf(query.lang, headers['accept-language']);
      return redirect('../', params.token, language, noticeOf(await sendCode(desk.rt, consent, language)) ?? 'CODE_SENT');
    },
  });
}

const HEADER_MAX = 300;

function whenceOf(headers: Readonly<Record<string, string | undefined>>, remote: string): Whence {
  return {
    ip: remote,
    forwardedFor: (headers['x-forwarded-for'] ?? '').slice(0, HEADER_MAX),
    userAgent: (headers['user-agent'] ?? '').slice(0, HEADER_MAX),
  };
}
