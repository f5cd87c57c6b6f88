import type { Instant, Minor, RefusalCode } from '../kernel/index.js';
import type { ConsentState, Factors } from './records.js';

/** One text in both languages of the hosted pages. */
export interface Bilingual {
  readonly en: string;
  readonly zh: string;
}
export type Language = keyof Bilingual;

/** What a consent is about. */
export const SUBJECTS = [
  'instruction',
  'mandate',
  'password',
  'activation',
  'card',
  'mobile',
  'agreement',
  'escrow',
  'project',
] as const;
export type Subject = (typeof SUBJECTS)[number];

/**
 * Exactly what the customer sees before he answers; nothing else is put to him. It is kept sealed, and its digest binds the consent.
 * Texts that come from outside (a platform's name, an order number) stand here as they are; the page escapes all of them.
 */
export interface Shown {
  /** What it is: `确认付款`, `Confirm a payment`. */
  readonly title: Bilingual;
  /** The one amount that moves, in fen as decimal digits: shown large, and in Chinese also in words. Absent when none does. */
  readonly fen?: string;
  /** Platform, payee, order, account (masked), until when it acts … in the order in which they are shown. */
  readonly lines: readonly ShownLine[];
  /**
   * The act in one phrase for the SMS that brings the code, with the account's ending, the payee and the amount:
   * `尾号6789账户付款，张三，100.00元`, `payment, account ending 6789, Zhang San, CNY 100.00`.
   */
  readonly brief: Bilingual;
}
export interface ShownLine {
  readonly label: Bilingual;
  /** `fen`: an amount, which the page writes out in yuan. */
  readonly value: string | Bilingual | { readonly fen: string };
}

/** An amount for `Shown`. */
export function shownFen(amount: Minor): { readonly fen: string } {
  return { fen: amount.toString() };
}

/** A code is good for five minutes, asked for at most five times for one consent and not within a minute of the one before. */
export const CODE_LIFE_MS = 5 * 60_000;
export const CODE_PAUSE_MS = 60_000;
export const CODES_MAX = 5;
/** Wrong answers that lock one consent. */
export const TRIES_MAX = 3;
/** Wrong trade passwords in a row that lock the password until the next natural day. */
export const PASSWORD_TRIES_MAX = 5;
/**
 * Wrong trade passwords in a natural day on the addresses that one platform got of a customer's page; those are dead then. Less than what
 * locks the password, so that no platform locks it alone.
 */
export const LINK_TRIES_MAX = 3;

/** What of a consent decides whether it may still be answered. */
interface Standing {
  readonly state: ConsentState;
  readonly attempts: number;
  readonly expiresMs: Instant;
}

/** Why a consent can no longer be answered; undefined while it can. */
export function answeredBefore({ state, attempts, expiresMs }: Standing, nowMs: Instant): RefusalCode | undefined {
  if (state === 'expired' || (state === 'pending' && nowMs >= expiresMs)) return 'CONSENT_EXPIRED';
  if (state === 'locked' || (state === 'pending' && attempts >= TRIES_MAX)) return 'CONSENT_LOCKED';
  return state === 'pending' ? undefined : 'CONSENT_ANSWERED';
}

export function isSixDigits(text: string): boolean {
  return /^[0-9]{6}$/.test(text);
}

/** What a guesser would try first: the person's own numbers. */
export interface OwnNumbers {
  readonly birthDate?: string | undefined;
  readonly idNo?: string | undefined;
  readonly mobile?: string | undefined;
}

/**
 * Whether six digits are too easy to guess: one digit or one group over and over (111111, 121212, 123123), a row up or down (123456,
 * 098765), a date of birth in any order of its parts, or six digits in a row of the person's identity or mobile number.
 */
export function isWeakPassword(password: string, { birthDate, idNo, mobile }: OwnNumbers): boolean {
  if (!isSixDigits(password)) return true;
  if ([1, 2, 3].some((length) => password === password.slice(0, length).repeat(6 / length))) return true;
  const steps = [...password].slice(1).map((digit, place) => (Number(digit) - Number(password[place]) + 10) % 10);
  if (steps.every((step) => step === 1) || steps.every((step) => step === 9)) return true;
  if (idNo?.includes(password) || mobile?.includes(password)) return true;
  return birthDate !== undefined && datesOf(birthDate).includes(password);
}

function datesOf(birthDate: string): string[] {
  const [year = '', month = '', day = ''] = birthDate.split('-');
  const short = year.slice(2);
  return [
    ...[short + month + day, short + day + month, day + month + short, month + day + short],
    ...[year + month, month + year, year + day, day + year],
  ];
}

/** What the SMS says. It names what the code is good for, so that nobody gives it away for something else. */
export function codeText(code: string, brief: Bilingual, language: Language): string {
  return language === 'zh'
    ? `【存管】验证码${code}，用于：${brief.zh}。5分钟内有效。请勿告诉任何人，银行工作人员不会向您索要。`
    : `[Cunguan] Your code is ${code}, for: ${brief.en}. Valid for 5 minutes. Tell it to nobody; the bank never asks for it.`;
}

/** How and from where a consent was answered: what its receipt proves besides what was shown. */
export interface Evidence {
  readonly said: 'given' | 'declined';
  /** What was given and found right; `none` for a no, which takes no proof. */
  readonly factors: Factors | 'none';
  readonly atMs: Instant;
  /** The address that the connection came from. */
  readonly ip: string;
  /** What a proxy before us says of where it came from, as it says it; '' without one. */
  readonly forwardedFor: string;
  readonly userAgent: string;
}
